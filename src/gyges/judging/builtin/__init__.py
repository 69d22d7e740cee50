"""The judge that needs no model: a small text classifier."""
