r"""The arguments of a truncated tool call as JSON text: its beginning, its completion.

A partial tool call can't be sent back to the service, but its JSON can be sent as text.
So a call that is larger than the largest response is completed as text, and becomes a
tool call again only when the text is one complete object that conforms to the tool's
schema.

Example: `{"path": "a.md", "content": "hel` is a resumable prefix. The model continues
the text with `lo"}`, and `parse_complete` returns the arguments.

JSON-1. A resumable prefix is completable: some continuation of it is accepted by
    `parse_complete`. It begins with `{`. A text that is no prefix of strict JSON is
    replaced by `{`.
JSON-2. Of a stream, only an escape sequence that was cut is removed. A model that
    continues after a lone backslash writes the complete escape again, and `\\n` is
    valid JSON with another meaning.
JSON-3. Of a response that was not streamed, nothing is kept, because it does not show
    which value was cut. A cut value can arrive as an empty string, and nothing says
    that the service keeps the order of the keys.
JSON-4. Arguments are strict JSON: no NaN, no infinite number, no control character in a
    string, no half of a surrogate pair, no duplicate key. (An object that was started
    again inside itself has duplicate keys.)
JSON-5. After the object, a closing code fence is accepted. If the model ended the text
    itself, a remark on a line of its own, without braces, is accepted too. Anything
    else may be the rest of an object that an unescaped quotation mark closed too early.
JSON-6. Arguments conform to the tool's schema (`schema`), or they are not returned.
JSON-7. If only the opening brace is known, a reply is not joined to it. The arguments
    are the object that the reply begins, after a preamble or a code fence.
JSON-8. No text makes these functions raise.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, NoReturn

from langchain_bedrock_continue._core.tool_json.schema import conforms

if TYPE_CHECKING:
    from collections.abc import Iterator

# The beginning --------------------------------------------------------------------

_WHITESPACE = " \t\r\n"
_HEX = "[0-9a-fA-F]"
_HIGH_SURROGATE = rf"\\u[dD][89abAB]{_HEX}{{2}}"
_PARTIAL_ESCAPE = rf"\\(?:u{_HEX}{{0,3}})?"
_CUT_ESCAPE = re.compile(
    rf"(?<!\\)(?:\\\\)*({_PARTIAL_ESCAPE}|{_HIGH_SURROGATE}(?:{_PARTIAL_ESCAPE})?)\Z"
)
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*("?)|[\[\]{}]', re.DOTALL)
_CLOSING = {"{": "}", "[": "]"}
_COMPLETIONS = (
    *("", ":null", "null", "0"),  # after a value, a key, a comma or colon, a minus
    *("rue", "ue", "e", "alse", "lse", "se", "ull", "ll", "l"),
)
"""What completes the value in which a text ends, outside a string."""


def resumable_prefix(json_text: str, *, streamed: bool) -> str:
    """Return the part of a truncated call's arguments that can be continued.

    Args:
        json_text: The arguments as they arrived: the raw text of a stream, or the JSON
            of the keys that a complete response brought.
        streamed: Whether it is the raw text of a stream (JSON-2, JSON-3).

    Returns:
        A text that begins with `{` (JSON-1). It may end in whitespace.
    """
    if not streamed:
        return "{"
    kept = _without_cut_escape(json_text.lstrip(_WHITESPACE))
    return kept if is_completable(kept) else "{"


def _without_cut_escape(text: str) -> str:
    cut = _CUT_ESCAPE.search(text)
    return text[: cut.start(1)] if cut else text


def is_completable(text: str) -> bool:
    """Return True for a prefix of arguments, or all of them (JSON-1, JSON-5).

    If it returns False, no further segment can complete the arguments.
    """
    if any(_parse_strict(text + rest) is not None for rest in _completions(text)):
        return True
    return parse_complete(text, {}) is not None


def object_in_reply(reply: str) -> str | None:
    """Return the arguments that a reply begins, if only `{` was known (JSON-7).

    Args:
        reply: All of the text that answers `arguments_prompt(name, "")`.

    Returns:
        The text from the opening brace on, or None if the reply begins no object.
    """
    body = _without_cut_escape(reply.lstrip(_WHITESPACE))
    preamble, brace, rest = body.partition("{")
    if is_completable("{" + body):  # the reply continues after the brace
        return "{" + body
    # A quotation mark before the brace: it is not the first brace of its object.
    is_first = bool(brace) and '"' not in preamble
    return brace + rest if is_first and is_completable(brace + rest) else None


def _completions(text: str) -> Iterator[str]:
    """Return what may complete a text, if it is the prefix of an object."""
    closings, in_string = _open_brackets(text)
    new_key = '"' + "k" * len(text) + '":null'  # longer than any key in the text
    ends = ('"', new_key[1:]) if in_string else (*_COMPLETIONS, new_key)
    return (end + closings for end in ends)


def _open_brackets(text: str) -> tuple[str, bool]:
    """Return what closes the open brackets, and whether the text ends in a string."""
    closings: list[str] = []
    for token in _STRING_OR_BRACKET.finditer(text):
        sign = token[0][0]
        if sign in _CLOSING:
            closings.append(_CLOSING[sign])
        elif sign == '"' and not token[1]:
            return "".join(reversed(closings)), True
        elif sign != '"' and closings:
            closings.pop()
    return "".join(reversed(closings)), False


# The complete object --------------------------------------------------------------

_FENCE = re.compile(r"\s*(?:```|~~~)?[ \t]*")
_FENCE_LINE = re.compile(r"(?:```|~~~)[ \t]*\n")


def parse_complete(
    text: str, schema: dict[str, Any] | None, *, truncated: bool = False
) -> dict[str, Any] | None:
    """Parse a tool call's arguments if they are complete.

    Args:
        text: The JSON, joined over all segments (JSON-4).
        schema: The tool's input schema (JSON-6). Without `$schema`, it is read as draft
            2020-12.
        truncated: Whether the last segment was truncated, so that the text after the
            object may be incomplete (JSON-5).

    Returns:
        The arguments, or None if they are incomplete or invalid.
    """
    parsed = _parse_object(text)
    if parsed is None:
        return None
    args, rest = parsed
    is_complete = _is_fence(rest) or (not truncated and _is_remark(rest))
    return args if is_complete and conforms(args, schema) else None


def _is_fence(rest: str) -> bool:
    """Return True if nothing but a closing fence follows the object (JSON-5)."""
    return not _FENCE.sub("", rest, count=1).strip()


def _is_remark(rest: str) -> bool:
    """Return True if a remark on a line of its own follows the object (JSON-5)."""
    remark = rest.lstrip(_WHITESPACE)
    on_new_line = "\n" in rest[: len(rest) - len(remark)] or _FENCE_LINE.match(remark)
    return bool(on_new_line) and not set("{}") & set(remark)


def _parse_strict(text: str) -> dict[str, Any] | None:
    """Parse a text that is one strict JSON object and nothing else (JSON-4)."""
    parsed = _parse_object(text)
    return parsed[0] if parsed and not parsed[1] else None


def _parse_object(text: str) -> tuple[dict[str, Any], str] | None:
    """Parse the strict JSON object that begins a text; return it and what follows."""
    stripped = text.lstrip(_WHITESPACE)
    try:
        value, end = _DECODER.raw_decode(stripped)
        json.dumps(value, ensure_ascii=False).encode()  # raises for half a pair
    except (ValueError, RecursionError):
        return None
    return (value, stripped[end:]) if isinstance(value, dict) else None


def _reject_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("duplicate key")
    return found


def _parse_finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("number out of range")
    return value


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_reject_duplicate_keys,
    parse_float=_parse_finite,
    parse_constant=_reject_constant,
)
