"""How we decide: the ledger rules first, a judge for what state cannot tell, and how often the judge errs."""
