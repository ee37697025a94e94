"""Promise 9, and what of promises 3, 4, 6, 7 and 8 the same comparison shows.

ORACLE-1. Where the bare model raises, ours raises an error of the same class. Only
    where a Nova's tool call did not fit may ours return it, made again with more room
    (NEXT-11). Where `max_total_tokens` is below the thinking budget, no size is
    accepted: ours ends as that limit.
ORACLE-2. Where the bare model returns a message, ours returns one, except for ERRORS.
ORACLE-3. The text begins with the bare model's. Only a model that does not continue its
    answer can change the end of it that is cut back (TEXT-3), or held back. A Nova's
    thinking is part of the text until its end tag has come. Such a model may also write
    another document, where a JSON schema constrains it: a truncated one is replaced
    (CONTENT-11).
ORACLE-4. An answer that is not truncated is the bare model's message, by the same one
    request. Only a tool call that no stop reason vouches for may be invalid (CALL-1).
    langchain-aws drops the citations of a Nova's blocking answer, ours may keep them.
ORACLE-5. A valid call is one that the model made, with all of its arguments.
ORACLE-6. A call of a truncated response that the bare model calls valid is vouched for
    by nothing (CALL-1): LangChain parses truncated arguments as partial JSON, and a
    whole call may have a truncated one after it. With a model that makes its calls
    again, each of them is valid or invalid with a reason; none is lost (CALL-2).
ORACLE-7. The first request is the bare model's, byte for byte, with the same
    `max_tokens`. Where `max_total_tokens` may make it smaller, the order of the body's
    fields may differ. Where the caller asks for cache points in it, they are all that
    is added.
ORACLE-8. The segments in the metadata are the requests that the service accepted, with
    the `max_tokens` that were sent. An error also has the segment that failed.
ORACLE-9. At most `max_continuations` requests follow the first, refused ones aside.
ORACLE-10. The caller's messages and arguments are not changed.
ORACLE-11. A truncated answer that the model continues as it is asked to, and completes,
    has its whole text, each character once.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage

from langchain_bedrock_continue import (
    ContinuationError,
    PrefillRefusedError,
    TruncatedToolCallError,
    TurnLimitError,
)
from langchain_bedrock_continue._core.decisions.service_errors import error_code
from langchain_bedrock_continue._core.text.healed_cut import HEAL_LIMIT
from langchain_bedrock_continue.local import Answer, CallTool, RecordedRequest, Say
from tests.support.messages import shape
from tests.support.oracle.model_answers import STOP
from tests.support.oracle.runs import Outcome
from tests.support.oracle.scripted_model import sent_size
from tests.support.oracle.situation import Situation


class Difference(NamedTuple):
    """One thing that is not as promised.

    Attributes:
        kind: Which.
        details: What was seen.
    """

    kind: str
    details: str


class _Allowed(NamedTuple):
    error: type[ContinuationError]
    why: str
    when: Callable[[Situation], bool]


ERRORS: tuple[_Allowed, ...] = (
    _Allowed(
        TurnLimitError,
        "the caller chose that a limit raises",
        lambda one: one.fields.get("on_limit") == "raise",
    ),
    _Allowed(
        TruncatedToolCallError,
        "the caller chose that a truncated tool call raises",
        lambda one: one.fields.get("tool_call_recovery") == "raise",
    ),
    _Allowed(
        PrefillRefusedError,
        "the caller chose the strategy that the model refuses, and no other",
        lambda one: one.fields.get("strategy") == "prefill",
    ),
)
"""The errors of a truncated answer that the caller's own fields ask for."""

NOT_COMPLETE = frozenset(
    {
        "max_tokens",  # continued, or retried
        "malformed_model_output",  # retried once
        "malformed_tool_use",  # retried once
        "pause_turn",  # sent back
    }
)
"""The stop reasons after which ours makes another call."""

EXPLICIT_CACHING = frozenset({True, "5m", "1h"})
"""The values of `prompt_caching` that change the first request, too."""

EXACT = frozenset({None, "prefill", "user_turn", "retry"})
"""How the segments of a turn are asked for that writes its text exactly (ORACLE-11)."""

OVERFLOWED_CALL = frozenset({"modelerrorexception", "modelstreamerrorexception"})
"""The codes with which a Nova reports a tool call that did not fit, in lower case."""

OPEN_THINKING = re.compile(
    "|".join(f"{'<thinking>'[:end]}$" for end in range(1, 10))
    + "|<thinking>(?!.*</thinking>).*",
    re.DOTALL,
)
"""Thinking in the text of a Nova, or the begin of its tag, before its end tag has come:
langchain-aws removes it from the text once it is complete (SPLIT-2)."""

VOUCHING = frozenset({"end_turn", "tool_use"})
"""The stop reasons that say that the last block is complete (STOP-3)."""


def differences(s: Situation, bare: Outcome, ours: Outcome) -> list[Difference]:
    """Return what is not as promised; nothing if all is."""
    return list(_differences(s, bare, ours))


def stop_reason_of(message: AIMessage) -> str | None:
    """Return the stop reason of a message of either class."""
    metadata = message.response_metadata
    found: str | None = metadata.get("stopReason", metadata.get("stop_reason"))
    return found


def is_complete(bare: Outcome) -> bool:
    """Return True if nothing is left to ask for."""
    return bare.message is not None and (
        stop_reason_of(bare.message) not in NOT_COMPLETE
    )


def _differences(s: Situation, bare: Outcome, ours: Outcome) -> Iterator[Difference]:
    if ours.changed:
        yield Difference("caller's objects", ours.changed)
    yield from _first_request(s, bare, ours)
    if bare.error is not None:
        if not ours.accepted and _ended_by(ours) == "max_total_tokens":
            return
        if ours.error is None and _is_overflowed_call(s, bare.error):
            yield from _made_again(s, ours)
        elif type(ours.error) is not type(bare.error):
            yield Difference("other error", f"{bare.error!r}, ours {ours.error!r}")
        return
    assert bare.message is not None
    if ours.error is not None and not _is_allowed(s, bare, ours.error):
        kind = f"raised {type(ours.error).__name__}"
        yield Difference(kind, f"{ours.error!r} from {ours.error.__cause__!r}")
    if ours.message is None:
        return
    yield from _text(s, bare.message, ours.message)
    yield from _valid_calls(s, ours.message)
    yield from _sizes(ours)
    yield from _number_of_requests(s, ours)
    if is_complete(bare):
        yield from _complete(s, bare, ours)
    elif s.continues:
        yield from _lost_calls(bare.message, ours.message)
        yield from _whole_text(s, ours)


def _ended_by(ours: Outcome) -> str | None:
    metadata = {} if ours.message is None else ours.message.response_metadata
    ended_by: str | None = metadata.get("continuation", {}).get("ended_by")
    return ended_by


def _is_overflowed_call(s: Situation, error: Exception) -> bool:
    code = error_code(error) or ""
    return "nova" in s.model and code.lower() in OVERFLOWED_CALL


def _made_again(s: Situation, ours: Outcome) -> Iterator[Difference]:
    assert ours.message is not None
    yield from _valid_calls(s, ours.message)
    yield from _sizes(ours)
    yield from _number_of_requests(s, ours)


def _is_allowed(s: Situation, bare: Outcome, error: Exception) -> bool:
    return not is_complete(bare) and any(
        isinstance(error, allowed.error) and allowed.when(s) for allowed in ERRORS
    )


def _text(s: Situation, bare: AIMessage, ours: AIMessage) -> Iterator[Difference]:
    if not s.continues and s.call.get("response_format"):
        return
    begin = str(bare.text)
    if "nova" in s.model:
        begin = OPEN_THINKING.sub("", begin)
    if not s.continues and not ours.text.startswith(begin):
        begin = begin.rstrip()
        begin = begin[: max(0, len(begin) - HEAL_LIMIT)]
    if not ours.text.startswith(begin):
        yield Difference("text", f"{bare.text!r}, ours {ours.text!r}")


def _valid_calls(s: Situation, ours: AIMessage) -> Iterator[Difference]:
    made = [
        (block.name, block.input)
        for answer in (s.answer, *s.later)
        for block in _blocks(answer)
        if isinstance(block, CallTool)
    ]
    for call in ours.tool_calls:
        if (call["name"], call["args"]) not in made:
            yield Difference("truncated call", f"{call!r} is valid, not of {made!r}")


def _blocks(answer: Answer) -> Iterator[Any]:
    yield from answer.blocks


def _lost_calls(bare: AIMessage, ours: AIMessage) -> Iterator[Difference]:
    kept = {call["id"] for call in [*ours.tool_calls, *ours.invalid_tool_calls]}
    for call in [*bare.tool_calls, *bare.invalid_tool_calls]:
        if call["id"] not in kept:
            yield Difference("lost call", f"{call!r}, ours has {kept!r}")


def _whole_text(s: Situation, ours: Outcome) -> Iterator[Difference]:
    assert ours.message is not None
    summary = ours.message.response_metadata["continuation"]
    is_exact = {entry["strategy"] for entry in summary["segments"]} <= EXACT
    is_plain = "nova" not in s.model and s.answer.stop_reason in {None, *VOUCHING}
    written = "".join(block.text for block in s.answer.blocks if isinstance(block, Say))
    expected = written.partition(STOP)[0] if STOP in _stops(ours) else written
    if not (summary["complete"] and is_plain and is_exact):
        return
    if ours.message.text != expected:
        yield Difference("whole text", f"{expected!r}, ours {ours.message.text!r}")


def _stops(ours: Outcome) -> list[str]:
    """Return the stop sequences that were sent: an `inference_config` has none."""
    body = ours.sent[0].body
    config = body.get("inferenceConfig") or {}
    return [*config.get("stopSequences", ()), *body.get("stop_sequences", ())]


def _first_request(s: Situation, bare: Outcome, ours: Outcome) -> Iterator[Difference]:
    if not bare.sent:
        if ours.sent:
            yield Difference("first request", f"the bare model made none: {ours.sent}")
        return
    if not ours.sent:
        yield Difference("first request", f"ours made none: {ours.error!r}")
        return
    in_order = "max_total_tokens" not in s.fields
    cached = s.fields.get("prompt_caching") in EXPLICIT_CACHING
    theirs = _as_sent(bare.sent[0], in_order=in_order, cached=cached)
    own = _as_sent(ours.sent[0], in_order=in_order, cached=cached)
    if theirs != own:
        yield Difference("first request", f"{theirs}, ours {own}")


def _as_sent(request: RecordedRequest, *, in_order: bool, cached: bool) -> str:
    body = _without_points(request.body) if cached else request.body
    sent = [request.operation, request.model_id, body]
    return json.dumps(sent, sort_keys=not in_order)


def _without_points(value: Any) -> Any:
    """Return a body without cache points. Anthropic's need a block round a text."""
    if isinstance(value, list):
        return [_without_points(one) for one in value if "cachePoint" not in one]
    if not isinstance(value, dict):
        return value
    plain = {key: one for key, one in value.items() if key != "cache_control"}
    for key in ("content", "system"):
        if isinstance(plain.get(key), str):
            plain[key] = [{"type": "text", "text": plain[key]}]
    return {key: _without_points(one) for key, one in plain.items()}


def _sizes(ours: Outcome) -> Iterator[Difference]:
    sent = [sent_size(request) for request in ours.accepted]
    error = ours.error
    if isinstance(error, ContinuationError):
        segments = error.segments
        if "error" in segments[-1] and ours.sent[-1] not in ours.accepted:
            sent.append(sent_size(ours.sent[-1]))
    else:
        assert ours.message is not None
        segments = ours.message.response_metadata["continuation"]["segments"]
    told = [segment["max_tokens"] for segment in segments]
    if told != sent:
        yield Difference("sizes", f"sent {sent}, the metadata says {told}")


def _number_of_requests(s: Situation, ours: Outcome) -> Iterator[Difference]:
    most = 1 + s.fields.get("max_continuations", 16)
    if len(ours.accepted) > most:
        yield Difference("requests", f"{len(ours.accepted)}, at most {most}")


def _complete(s: Situation, bare: Outcome, ours: Outcome) -> Iterator[Difference]:
    assert bare.message is not None
    assert ours.message is not None
    if len(ours.sent) != 1:
        yield Difference("complete: requests", f"{len(ours.sent)}")
    theirs, own = shape(bare.message), shape(ours.message)
    if own["invalid_tool_calls"] and _may_be_invalid(bare.message):
        return
    if "nova" in s.model and isinstance(own["content"], list):
        own["content"] = _cited_as(own["content"], theirs["content"])
    for name, value in theirs.items():
        if own[name] != value:
            kind = f"complete: {name}"
            yield Difference(kind, f"{value!r}, ours {own[name]!r}")


def _cited_as(own: list[Any], theirs: Any) -> list[Any]:
    """Return the blocks, without citations if the other ones have none."""
    if "citations" in repr(theirs):
        return own
    return [
        {key: value for key, value in block.items() if key != "citations"}
        if isinstance(block, dict)
        else block
        for block in own
    ]


def _may_be_invalid(bare: AIMessage) -> bool:
    """Return True if nothing vouches for the last call (CALL-1)."""
    return stop_reason_of(bare) not in VOUCHING
