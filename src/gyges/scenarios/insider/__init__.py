"""The insider scenarios: five packs of text, and their Inspect tasks in `tasks.py`."""
