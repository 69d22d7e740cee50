"""What a gate says: lines for a terminal, a Markdown summary, a JUnit file."""
