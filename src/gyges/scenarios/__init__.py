"""What a model meets: the simulated company, the factors, and the scenario packs as Inspect tasks."""
