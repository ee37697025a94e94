"""A real small model as a backend: weights, chat template, tool calls."""

from langchain_bedrock_continue.local.llama.backend import LlamaBackend

__all__ = ["LlamaBackend"]
