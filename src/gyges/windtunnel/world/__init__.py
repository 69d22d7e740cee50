"""Who lives in the small world, what happens there, and how it is told."""
