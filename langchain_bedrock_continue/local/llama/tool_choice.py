"""The constraints that a request's tool choice and output format put on the answer.

A small model follows a forced tool choice only with a grammar. llama.cpp derives one
from a JSON schema.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.backend import Json


def tool_names(tool_config: Json | None) -> tuple[str, ...]:
    """Return the names of the tools.

    Args:
        tool_config: `toolConfig`, or None.
    """
    tools = (tool_config or {}).get("tools", [])
    return tuple(tool["toolSpec"]["name"] for tool in tools if "toolSpec" in tool)


def forced_name(tool_config: Json | None) -> str | None:
    """Return the name of the tool that must be called; None if there is a choice.

    Args:
        tool_config: `toolConfig`, or None.
    """
    names = [spec["name"] for spec in _forced_specs(tool_config)]
    return names[0] if len(names) == 1 else None


def answer_schema(tool_config: Json | None, output_config: Json | None) -> Any:
    """Return the JSON schema for the answer, or None.

    It comes from a `toolChoice` of `any` or `tool`, else from `outputConfig`.

    Args:
        tool_config: `toolConfig`, or None.
        output_config: `outputConfig`, or None.

    Raises:
        ValueError: The schema in `outputConfig` is not valid JSON.
    """
    calls = [_call_schema(spec) for spec in _forced_specs(tool_config)]
    if calls:
        return calls[0] if len(calls) == 1 else {"anyOf": calls}
    structure = (output_config or {}).get("textFormat", {}).get("structure", {})
    schema = structure.get("jsonSchema", {}).get("schema")
    return _parsed(schema) if isinstance(schema, str) else schema


def _parsed(schema: str) -> Any:
    try:
        return json.loads(schema)
    except ValueError as error:
        field = "outputConfig.textFormat.structure.jsonSchema.schema"
        raise ValueError(f"The value at {field} is not valid JSON: {error}.") from error


def _forced_specs(tool_config: Json | None) -> list[Json]:
    config = tool_config or {}
    choice = config.get("toolChoice") or {}
    wanted = choice.get("tool", {}).get("name")
    specs = [tool["toolSpec"] for tool in config.get("tools", []) if "toolSpec" in tool]
    if "any" in choice:
        return specs
    return [spec for spec in specs if wanted and spec["name"] == wanted]


def _call_schema(spec: Json) -> Json:
    # Closed by default: a small model would add members without end.
    closed = {"type": "object", "additionalProperties": False}
    arguments = {**closed, **spec["inputSchema"]["json"]}
    schema = {
        "type": "object",
        "properties": {"name": {"const": spec["name"]}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }
    # References start at the root, so the definitions move there.
    for key in {"$defs", "definitions"} & arguments.keys():
        schema[key] = arguments.pop(key)
    return schema
