"""What it means: cells, comparisons, effects and claims from rows. Numbers only, no words for readers."""
