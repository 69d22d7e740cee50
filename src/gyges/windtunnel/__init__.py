"""A miniature: a small world in words, its corpus, and a model pretrained in it from scratch on a CPU in minutes. It shows mechanisms only."""
