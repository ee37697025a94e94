"""Scripted answers: a backend for tests, with truncation and faults."""

from langchain_bedrock_continue.local.script.backend import Script

__all__ = ["Script"]
