"""Running it: from a spec to logs and rows, within a budget, continued wherever it stopped."""
