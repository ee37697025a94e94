"""Prompts whose answer is a call of one tool, with arguments of several kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
TEXTS = {"type": "array", "items": TEXT}


@dataclass(frozen=True)
class ToolPrompt:
    """A prompt, and the tool that it asks for.

    Attributes:
        tool: The tool's name.
        does: What it does, for the model.
        properties: The JSON schemas of its arguments, all of them required.
        prompt: What is asked.
    """

    tool: str
    does: str
    properties: dict[str, Any]
    prompt: str

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments, with a title as structured output needs."""
        return {
            "title": self.tool,
            "description": self.does,
            "type": "object",
            "properties": self.properties,
            "required": list(self.properties),
        }

    @property
    def definition(self) -> dict[str, Any]:
        """The tool, in the form that `bind_tools` takes."""
        return {
            "name": self.tool,
            "description": self.does,
            "input_schema": self.schema,
        }


PROMPTS = [
    ToolPrompt(
        "save_recipe",
        "Save a recipe.",
        {"title": TEXT, "ingredients": TEXTS, "steps": TEXTS},
        "Save a recipe for pancakes with five ingredients and five steps.",
    ),
    ToolPrompt(
        "send_email",
        "Send an email.",
        {"to": TEXT, "subject": TEXT, "body": TEXT},
        "Send an email to kim@example.com: the meeting is moved to Friday at ten. "
        "Give two reasons, and ask for an answer.",
    ),
    ToolPrompt(
        "write_file",
        "Write a text file.",
        {"path": TEXT, "content": TEXT},
        "Write the file stack.py: a Python class Stack with push, pop and is_empty.",
    ),
    ToolPrompt(
        "create_order",
        "Create an order.",
        {
            "customer": TEXT,
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": TEXT, "quantity": NUMBER},
                    "required": ["name", "quantity"],
                },
            },
        },
        "Create an order for Ana Silva: three lamps, two chairs, one table, "
        "four cushions and ten candles.",
    ),
    ToolPrompt(
        "add_event",
        "Add an event to a calendar.",
        {"title": TEXT, "date": TEXT, "minutes": NUMBER, "guests": TEXTS},
        "Add the event Planning on 2026-12-01, 90 minutes, with Ana, Ben, Chloe, "
        "Dora, Emil and Farid.",
    ),
    ToolPrompt(
        "save_note",
        "Save a note.",
        {"title": TEXT, "text": TEXT},
        "富士山についての短いメモを日本語で保存してください。",
    ),
]
