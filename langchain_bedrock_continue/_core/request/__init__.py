"""The next request: its messages, its arguments, its prompt."""
