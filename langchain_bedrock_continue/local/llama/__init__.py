"""A real small model in the endpoint's place of Bedrock: weights, templates, tools."""

from langchain_bedrock_continue.local.llama.backend import LlamaBackend

__all__ = ["LlamaBackend"]
