"""How probable a model finds given texts."""
