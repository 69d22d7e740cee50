"""One training run: its loop, metrics, samples, and the account of what it was trained on."""
