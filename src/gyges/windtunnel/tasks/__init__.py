"""Tasks of the small world, and the graders that can or cannot be cheated."""
