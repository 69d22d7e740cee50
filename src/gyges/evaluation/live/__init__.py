"""What the person who waits sees while samples run: how each cell stands, and which server does not answer."""
