"""What a test compares of a message, and of the requests that led to it."""

import copy
from typing import Any

from langchain_core.messages import AIMessage

from langchain_bedrock_continue.local import LocalBedrock

VOLATILE = ("RequestId", "HTTPHeaders")


def continuation(message: AIMessage) -> dict[str, Any]:
    """Return what the message says of its segments."""
    summary: dict[str, Any] = message.response_metadata["continuation"]
    return summary


def ending(message: AIMessage) -> tuple[str, bool]:
    """Return what ended the turn, and whether the message is complete."""
    summary = continuation(message)
    return summary["ended_by"], summary["complete"]


def shape(message: AIMessage) -> dict[str, Any]:
    """Return the message without what differs between two calls, and what we add."""
    dumped = copy.deepcopy(message.model_dump())
    metadata = dumped["response_metadata"]
    metadata.pop("continuation", None)
    metadata.get("metrics", {}).pop("latencyMs", None)
    for key in VOLATILE:
        metadata.get("ResponseMetadata", {}).pop(key, None)
    dumped["id"] = dumped["id"][:8]
    return dumped


def shape_without_usage(message: AIMessage) -> dict[str, Any]:
    """Return the shape without what a truncated answer costs more."""
    seen = shape(message)
    seen.pop("usage_metadata")
    seen["response_metadata"].pop("metrics", None)
    return seen


def content_shape(message: AIMessage) -> dict[str, Any]:
    """Return the message's content and calls, without metadata, usage and id."""
    volatile = {"id", "response_metadata", "usage_metadata"}
    dumped = copy.deepcopy(message.model_dump(exclude=volatile))
    return _without_truncated_reasoning(dumped)


def _without_truncated_reasoning(dumped: dict[str, Any]) -> dict[str, Any]:
    """Remove reasoning that a stream showed before it was truncated, and replaced."""
    content = dumped["content"]
    kept = [block for block in content if not _is_truncated_reasoning(block)]
    removed = len(content) - len(kept)
    if removed and not isinstance(content, str):
        dumped["content"] = kept
        for part in [*kept, *dumped.get("tool_call_chunks", [])]:
            if isinstance(part.get("index"), int):
                part["index"] -= removed
    return dumped


def _is_truncated_reasoning(block: Any) -> bool:
    if not isinstance(block, dict):
        return False
    return bool(block.get("truncated") or block.get("extras", {}).get("truncated"))


def requested_sizes(bedrock: LocalBedrock) -> list[int | None]:
    """Return the `maxTokens` of each request that the endpoint has seen."""
    configs = (one.body.get("inferenceConfig", {}) for one in bedrock.requests)
    return [config.get("maxTokens") for config in configs]


def sent_sizes(bedrock: LocalBedrock) -> list[int | None]:
    """Return the `max_tokens` of each request, None where it has none."""
    bodies = [request.body for request in bedrock.requests]
    return [
        body.get("max_tokens", body.get("inferenceConfig", {}).get("maxTokens"))
        for body in bodies
    ]
