"""What a request's tools and output format ask of the model's text.

A small model obeys a forced choice only under a grammar; llama.cpp makes one of a JSON
schema.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.backend import Json


def tool_names(tool_config: Json | None) -> tuple[str, ...]:
    """Name the tools on offer."""
    tools = (tool_config or {}).get("tools", [])
    return tuple(tool["toolSpec"]["name"] for tool in tools if "toolSpec" in tool)


def forced_name(tool_config: Json | None) -> str | None:
    """Name the one tool that must be called, if `toolChoice` leaves only one."""
    names = [spec["name"] for spec in _forced_specs(tool_config)]
    return names[0] if len(names) == 1 else None


def answer_schema(tool_config: Json | None, output_config: Json | None) -> Any:
    """Give the JSON schema that the answer must obey, or None.

    It comes from a `toolChoice` of `any` or `tool`, else from `outputConfig`.

    Raises:
        ValueError: `outputConfig` holds no JSON.
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
        raise ValueError(f"The value at {field} is no JSON: {error}.") from error


def _forced_specs(tool_config: Json | None) -> list[Json]:
    config = tool_config or {}
    choice = config.get("toolChoice") or {}
    wanted = choice.get("tool", {}).get("name")
    specs = [tool["toolSpec"] for tool in config.get("tools", []) if "toolSpec" in tool]
    if "any" in choice:
        return specs
    return [spec for spec in specs if wanted and spec["name"] == wanted]


def _call_schema(spec: Json) -> Json:
    # Closed unless said otherwise: a small model goes on adding members for ever.
    closed = {"type": "object", "additionalProperties": False}
    arguments = {**closed, **spec["inputSchema"]["json"]}
    schema = {
        "type": "object",
        "properties": {"name": {"const": spec["name"]}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }
    # References begin at the root, so the definitions move there.
    for key in {"$defs", "definitions"} & arguments.keys():
        schema[key] = arguments.pop(key)
    return schema
