"""What is shown: self-contained HTML pages."""
