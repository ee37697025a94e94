"""Scripted answers: a backend for tests that says what it is told, cuts and faults."""

from langchain_bedrock_continue.local.script.backend import Script

__all__ = ["Script"]
