"""Bedrock on the wire: bodies, event-stream frames, errors, one response over HTTP."""
