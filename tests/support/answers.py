"""Answers of more than text, for a model to say, and the tools that they call."""

from typing import Any

from langchain_bedrock_continue.local import CallTool

CITATION = {
    "title": "Doc",
    "sourceContent": [{"text": "quoted"}],
    "location": {"documentChar": {"documentIndex": 0, "start": 1, "end": 2}},
}
"""What a cited text refers to."""

WEATHER = CallTool("weather", {"city": "Oslo", "days": [1, 2]}, tool_use_id="t1")
"""A call with arguments."""

TIME = CallTool("time", {}, tool_use_id="t2")
"""A call without arguments."""


def tools(*names: str) -> list[dict[str, Any]]:
    """Return the definitions of tools with these names."""
    schema = {"type": "object", "properties": {}}
    return [
        {"name": name, "description": "d", "input_schema": schema} for name in names
    ]


WEATHER_TOOLS = tools("weather", "time")
"""The tools that WEATHER and TIME call."""
