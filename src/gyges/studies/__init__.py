"""The graph: steps with a stable identity, a store of their results, and what runs them. No stage of the pipeline is known here."""
