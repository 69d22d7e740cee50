"""What happened: finding and reading Inspect's logs (`log_folder`, `inspect_logs`) as typed rows (`rows`), and the table of them (`table`)."""
