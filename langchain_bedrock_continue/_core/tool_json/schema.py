"""The schema of a tool: found among a call's arguments, and applied.

Y1. A tool is read as langchain-aws reads it, in every form that it takes.
Y2. What is of an unknown form is None, and what can't be checked does not fit: a schema
    that is unknown, broken, or refers to somewhere else.
Y3. No schema is ever fetched.
Y4. Nothing from outside makes these rules fail, and nothing is changed.
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
    """Find the input schema of a tool among the arguments of a call (Y1, Y2).

    Args:
        kwargs: As `bind_tools` of ChatBedrockConverse or of ChatBedrock leaves them, or
            as a caller writes them: `tools`, `toolConfig`, `tool_config`.
        name: The tool's name.

    Returns:
        The caller's own schema; None where there is no such tool, or it is of an
        unknown form. Converse may have sent a narrower one: langchain-aws strips null
        from optional types.
    """
    found = (_named_schema(tool) for tool in _tools(kwargs))
    schema = next((schema for given, schema in found if given == name), None)
    return schema if isinstance(schema, dict) else None


def _tools(kwargs: dict[str, Any]) -> Iterator[Any]:
    """Return the tools that langchain-aws sends: a configuration goes first."""
    for config in (kwargs.get("toolConfig"), kwargs.get("tool_config"), kwargs):
        tools = config.get("tools") if isinstance(config, dict) else None
        yield from tools if isinstance(tools, (list, tuple)) else ()


def _named_schema(tool: Any) -> tuple[Any, Any]:
    """Read a tool's name and schema; (None, None) of an unknown form."""
    try:
        if isinstance(tool, dict) and ("toolSpec" in tool or "tool_spec" in tool):
            spec = tool.get("toolSpec") or tool["tool_spec"]
            schema = spec.get("inputSchema") or spec["input_schema"]
            return spec["name"], schema["json"]
        function = convert_to_openai_tool(tool)["function"]
        return function["name"], function["parameters"]
    except Exception:  # noqa: BLE001 - a cachePoint, a system tool, or anything else
        return None, None


def fits(args: dict[str, Any], schema: dict[str, Any] | None) -> bool:
    """Tell whether arguments fit a schema that stands on its own (Y2, Y3).

    Args:
        args: The arguments.
        schema: Of no `$schema`, or of an unknown one, it is read as draft 2020-12, the
            one that Claude asks for. `format` is not checked.
    """
    if not isinstance(schema, dict):
        return False
    try:
        validator = validator_for(schema, default=Draft202012Validator)
        validator.check_schema(schema)
        # A registry of one's own retrieves nothing; the default one opens URLs.
        return bool(validator(schema, registry=Registry()).is_valid(args))
    except Exception:  # noqa: BLE001 - a schema from outside can fail in any way
        return False
