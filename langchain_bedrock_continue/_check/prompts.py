"""The prompts of `check`: ten, in eight kinds, with answers of 100 to 200 tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from langchain_bedrock_continue._check.well_formed import Kind


class Prompt(NamedTuple):
    """A prompt and the kind of text that it asks for."""

    kind: Kind
    text: str


PROMPTS = (
    Prompt("prose", "Explain in about 120 words how a sundial tells the time."),
    Prompt("prose", "Tell a story of about 120 words about a lost umbrella."),
    Prompt("python", "Write a short Python class for a stack: push, pop and peek."),
    Prompt("json", "Give a JSON array of four rivers: name, length_km, countries."),
    Prompt("json", "Write a JSON object for a book order with three items. No prose."),
    Prompt("table", "Compare four metals in a Markdown table of four columns."),
    Prompt("list", "Give a numbered list of eight tips for growing tomatoes."),
    Prompt("sql", "Write SQL that creates and fills two tables of a small library."),
    Prompt("html", "Write the HTML of a short page with a heading, a list, a form."),
    Prompt("japanese", "日本の春について百五十字くらいで説明してください。"),
)
