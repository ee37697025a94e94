"""Wordings of the user turn that asks to continue: ours, others' and variants.

A wording has a form: how much of the answer's end it quotes, and where the partial
answer stands. Wordings of others are described in our own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_bedrock_continue._core.decisions.vocabulary import Form as OwnForm
from langchain_bedrock_continue._core.request.prompts import (
    WORDINGS as OWN_WORDINGS,
)
from langchain_bedrock_continue._core.request.prompts import continuation_prompt
from langchain_bedrock_continue._core.text.quote import choose_quote

if TYPE_CHECKING:
    from collections.abc import Callable

Form: TypeAlias = Literal["package", "tail", "line", "100", "none"]
"""What is quoted: what the package chooses, about 40 characters, the last line (a JSON
member, a table row), 100 characters, or nothing."""

TAIL = 40
TAIL_CJK = 20
LONG = 100
LONGEST_LINE = 160
SHORTEST_LINE = 8
WORD = 15
"""Most characters by which a quote is shortened to begin at a word."""


@dataclass(frozen=True)
class Asked:
    """A request to continue.

    Attributes:
        messages: The conversation.
        quote: What the model is asked to repeat, or sees quoted.
        opening: The tag before the quote, if it is one that the join knows.
    """

    messages: list[BaseMessage]
    quote: str
    opening: str


@dataclass(frozen=True)
class Wording:
    """A wording of the user turn.

    Attributes:
        name: Short name, for the command line and the table.
        template: Its text, with `{tail}` for the quote. With `{prompt}` and `{answer}`
            it is the only message: it has the question and the partial answer, too.
            Empty: the package's own.
        form: What is quoted.
    """

    name: str
    template: str
    form: Form = "tail"

    @property
    def is_merged(self) -> bool:
        """Whether all is in one user message."""
        return "{answer}" in self.template

    def ask(self, prompt: str, text: str, max_tokens: int) -> Asked:
        """Ask for the continuation of a text.

        Args:
            prompt: The question.
            text: The partial answer.
            max_tokens: The limit of the next segment.
        """
        quote = QUOTES[self.form](text, max_tokens)
        said = self._text(quote)
        opening = "<tail>" if "<tail>" in said else ""
        if self.is_merged:
            said = said.replace("{prompt}", prompt).replace("{answer}", text.rstrip())
            return Asked([HumanMessage(said)], quote, opening)
        messages = [HumanMessage(prompt), AIMessage(text), HumanMessage(said)]
        return Asked(messages, quote, opening)

    def _text(self, quote: str) -> str:
        if not self.template:
            return continuation_prompt(OWN_WORDINGS[OwnForm.COPY], quote)
        return self.template.replace("{tail}", quote)


def _end(text: str, length: int) -> str:
    """Return the end of a text without its trailing whitespace, from a word on."""
    body = text.rstrip()
    start = max(0, len(body) - length)
    blank = body.find(" ", start, start + WORD)
    cuts_word = start and not body[start - 1].isspace() and body[start].isascii()
    return body[blank if cuts_word and blank >= 0 else start :].lstrip()


def _tail(text: str, _max_tokens: int) -> str:
    wide = sum(not char.isascii() for char in text[-TAIL:]) > TAIL // 2
    return _end(text, TAIL_CJK if wide else TAIL)


def _line(text: str, max_tokens: int) -> str:
    body = text.rstrip()
    start, line = len(body), ""
    while start and len(line) < SHORTEST_LINE:
        start = body.rfind("\n", 0, max(0, start - 1)) + 1
        line = body[start:].lstrip()
    return line if len(line) <= LONGEST_LINE else _tail(text, max_tokens)


QUOTES: dict[Form, Callable[[str, int], str]] = {
    "package": choose_quote,
    "tail": _tail,
    "line": _line,
    "100": lambda text, _max_tokens: _end(text, LONG),
    "none": lambda _text, _max_tokens: "",
}

_COPY = (
    "Your reply was cut off by a length limit. It ended with:\n\n{tail}\n\nWrite the "
    "rest of the reply. First copy the line above, then continue it to the end of the "
    "reply."
)
_COPY_BELOW = (
    "Your reply was cut off by a length limit. Write the rest of the reply. First copy "
    "the line below, then continue it to the end of the reply.\n\n{tail}"
)

_ROWS = (
    # What the package sends by default.
    Wording("package", "", "package"),
    # What the package sent before: tags, and a sentence that allows an early end.
    Wording(
        "old",
        "Your answer was cut off before it was complete. Its last characters were:\n\n"
        "<tail>{tail}</tail>\n\nBegin your next message by repeating exactly the text "
        "between these two tags, character for character and without the tags, and "
        "then go on from there as if there had been no interruption: in the same "
        "format and language, with no preamble, no recap, no apology and no new code "
        "fence. If the answer was already complete, only repeat that text.",
    ),
    # The second wording of this project's measurement, in three lengths of the quote.
    Wording("copy", _COPY),
    Wording("copy-line", _COPY, "line"),
    Wording("copy-100", _COPY, "100"),
    # Anthropic, "Migrating to Claude 4.6" and later: prefill is gone, so the end of the
    # interrupted response moves into the user message, in a code span.
    Wording(
        "vendor",
        "Your previous response was interrupted and ended with `{tail}`. Continue from "
        "where you left off.",
    ),
    Wording(
        "vendor-begin",
        "Your previous response was interrupted and ended with `{tail}`. Begin with "
        "those words and continue from where you left off.",
    ),
    # What people type, and what most wrappers send.
    Wording("continue", "continue", "none"),
    Wording("where-left", "Continue exactly where you left off.", "none"),
    # Claude Code, after a response that hit the output limit: resume in mid-thought,
    # no apology, no recap, smaller pieces.
    Wording(
        "claude-code",
        "The output token limit was hit. Go on directly, with no apology and no recap "
        "of what you were doing, in mid-thought if the cut is there. Break the rest "
        "into smaller pieces.",
        "none",
    ),
    # Hermes Agent (NousResearch), conversation loop: a system note in a user message.
    Wording(
        "hermes",
        "[System: The output length limit truncated your last response. Go on exactly "
        "where you left off. Do not start again or repeat earlier text. Finish the "
        "answer directly.]",
        "none",
    ),
    # AWS, sample-voice-of-customer-datalake, lambda/shared/converse.py: a document is
    # resumed at the next character, without a preamble.
    Wording(
        "aws-voc",
        "Continue the document exactly where it stopped. Repeat nothing that you "
        "already wrote and add no preamble: resume with the next character.",
        "none",
    ),
    # Variants: the quote after the instruction, so that it is the last text before the
    # answer.
    Wording("below", _COPY_BELOW),
    Wording("below-line", _COPY_BELOW, "line"),
    # The last line written anew.
    Wording(
        "rewrite-line",
        "Your reply was cut off. Its last line so far is:\n\n{tail}\n\nRewrite the "
        "last line and continue.",
        "line",
    ),
    # Tags, in few words.
    Wording(
        "tags",
        "Your reply was cut off by a length limit. It ended with <tail>{tail}</tail>. "
        "Write the rest of the reply. First copy the words between the tags, then "
        "continue.",
    ),
    # Quotation marks.
    Wording(
        "quotes",
        'Your reply was cut off by a length limit. It ended with "{tail}". Write the '
        "rest of the reply. First copy these words, then continue.",
    ),
    # A code span.
    Wording(
        "code-span",
        "Your reply was cut off by a length limit. It ended with `{tail}`. Write the "
        "rest of the reply. First copy these words, then continue.",
    ),
    # The beginning of the next message is given, and no copying asked for.
    Wording(
        "starts-with",
        "Your reply was cut off by a length limit. Send the rest of it in your next "
        "message, which starts with:\n\n{tail}",
    ),
    # Nothing is to be repeated: only the rest.
    Wording(
        "rest-only",
        "Your reply was cut off by a length limit. It ended with:\n\n{tail}\n\nWrite "
        "only what comes next.",
    ),
    # All in one user message: the question, the partial answer, what to do.
    Wording(
        "merged",
        "{prompt}\n\nA first part of the answer exists already:\n\n{answer}\n\nIt was "
        "cut off by a length limit and ends with:\n\n{tail}\n\nWrite the rest of the "
        "answer. First copy the line above, then continue it to the end.",
    ),
    Wording(
        "merged-line",
        "{prompt}\n\nComplete this answer:\n\n{answer}\n\nFirst copy its last line, "
        "then continue it to the end:\n\n{tail}",
        "line",
    ),
)

WORDINGS: dict[str, Wording] = {wording.name: wording for wording in _ROWS}
"""All wordings by name, those in one message last: they share no beginning."""
