"""The JSON arguments of a truncated tool call, completed as text."""
