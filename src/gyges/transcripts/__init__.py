"""What happened: running the tasks and keeping their logs (`evaluate`), and reading logs into typed rows (`read`)."""
