"""The input schema of a tool: found in a call's arguments, and validated against.

SCHEMA-1. Tools are read as langchain-aws reads them, in every form that it accepts.
SCHEMA-2. A tool of an unknown form has no schema, and nothing conforms to a schema that
    can't be checked: one that is unknown, invalid, or refers to another document.
SCHEMA-3. No schema is ever fetched.
SCHEMA-4. No input makes these functions raise, and no input is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from langchain_core.utils.function_calling import convert_to_openai_tool
from referencing import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator


def schema_of(kwargs: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Find the input schema of a tool in the arguments of a call (SCHEMA-1).

    Args:
        kwargs: The arguments as `bind_tools` of ChatBedrockConverse or of ChatBedrock
            returns them, or as a caller writes them: `tools`, `toolConfig`,
            `tool_config`.
        name: The tool's name.

    Returns:
        The caller's own schema, or None if there is no such tool, or its form is
        unknown (SCHEMA-2). The request may contain a narrower schema: langchain-aws
        removes null from optional types.
    """
    named = (_named_schema(tool) for tool in _tools(kwargs))
    schema = next((schema for found, schema in named if found == name), None)
    return schema if isinstance(schema, dict) else None


def _tools(kwargs: dict[str, Any]) -> Iterator[Any]:
    """Iterate over the tools of a request: those of a configuration come first."""
    for config in (kwargs.get("toolConfig"), kwargs.get("tool_config"), kwargs):
        tools = config.get("tools") if isinstance(config, dict) else None
        yield from tools if isinstance(tools, (list, tuple)) else ()


def _named_schema(tool: Any) -> tuple[Any, Any]:
    """Return a tool's name and schema, or (None, None) for an unknown form."""
    try:
        if isinstance(tool, dict) and ("toolSpec" in tool or "tool_spec" in tool):
            spec = tool.get("toolSpec") or tool["tool_spec"]
            schema = spec.get("inputSchema") or spec["input_schema"]
            return spec["name"], schema["json"]
        function = convert_to_openai_tool(tool)["function"]
        return function["name"], function["parameters"]
    except Exception:  # noqa: BLE001 - a cachePoint, a system tool, or anything else
        return None, None


def conforms(args: dict[str, Any], schema: dict[str, Any] | None) -> bool:
    """Return True if arguments conform to a self-contained schema (SCHEMA-2).

    Args:
        args: The arguments.
        schema: Without `$schema`, or with an unknown one, it is read as draft 2020-12,
            the one that Claude asks for. `format` is not checked.
    """
    if not isinstance(schema, dict):
        return False
    try:
        validator = validator_for(schema, default=Draft202012Validator)
        validator.check_schema(schema)
        # An own registry retrieves nothing; the default one opens URLs (SCHEMA-3).
        return bool(validator(schema, registry=Registry()).is_valid(args))
    except Exception:  # noqa: BLE001 - a caller's schema can fail in any way
        return False
