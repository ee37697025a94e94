"""Bedrock's wire format: bodies, event-stream frames, errors, HTTP responses."""
