"""What is kept: results on disk or in a bucket, where they come from, why two differ, and which may go."""
