"""Pure tables over plain values: what a response, an error or a limit leads to."""
