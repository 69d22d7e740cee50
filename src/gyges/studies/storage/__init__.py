"""Where results are kept: a folder or an object store, and what may go from it."""
