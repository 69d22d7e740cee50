"""Rows in, tokens out: what is trained on, and what of it is in the loss."""
