"""Where a request of a turn gets cache points, so that a continuation reads its prompt.

A continuation sends the whole prompt again. With a cache point at its end, Bedrock
reads it at a fraction of the price from the second continuation on.

POINT-1. Points are moved, not added: each request has one at the end of the caller's
    prompt, and a user turn has one more at its own end, so that the answer so far is
    read by the next. The end of a prefill has none: a text that grows is a changed
    block, which is never read.
POINT-2. A point is read where an earlier one stood. A model that looks back over few
    blocks, or over none, gets one there too.
POINT-3. There are at most four, with the caller's own, which stay as they are. A block
    or a section that has one gets no other.
POINT-4. In the order tools, system, messages the lifetime never grows. A point of ours
    gets the shorter lifetime of one before it, or is left out.
POINT-5. No point is in an assistant message, so none follows reasoning. None follows an
    empty text, or a tool that is loaded later. No prefix gets one whose size is known
    to be too small or too large for the model's cache.
POINT-6. With `"auto"`, a turn's first request and its retries are the caller's own, and
    tools and system prompt get no point of their own: within a turn the one after the
    prompt is enough.
    If a prefix that was cached is not found again, the turn gets no more points.
POINT-7. `cache_control`, which langchain-aws and its middleware take as an argument,
    stays as it is in the first request and its retries. In a continuation,
    langchain-aws would put a point after the prefill. So its lifetime applies to our
    points there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from langchain_bedrock_continue._core.content.incoming import cached_tokens
from langchain_bedrock_continue._core.decisions.cache_support import (
    MAX_CACHE_POINTS,
    CacheSupport,
    Lifetime,
    cache_support,
    is_cache_refusal,
    remember_cache_refusal,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from langchain_core.messages.ai import UsageMetadata

    from langchain_bedrock_continue._core.policy import Policy

Section: TypeAlias = Literal["tools", "system", "messages"]
"""A part of a request, in the order in which Bedrock reads it."""


@dataclass(frozen=True)
class CachePlan:
    """What cache points a request gets.

    Attributes:
        support: What the model allows.
        lifetime: The lifetime of our points.
        answer: How many messages at the end are ours: the answer so far, and our user
            turns.
        of_prompt: The prompt gets a point at its end.
        of_history: The last user turn of ours gets a point at its end.
        everywhere: Tools, system prompt and older messages get points, too.
    """

    support: CacheSupport
    lifetime: Lifetime = "5m"
    answer: int = 0
    of_prompt: bool = True
    of_history: bool = False
    everywhere: bool = False


@dataclass(frozen=True)
class Place:
    """A block of a request, after which a cache point may stand.

    Attributes:
        section: The part of the request that it is in.
        message: The number of its message; 0 outside of messages.
        role: The role of its message; empty outside of messages.
        lifetime: The lifetime of the cache point after it, or None without one.
        allowed: The service accepts a cache point after it.
    """

    section: Section
    message: int = 0
    role: str = ""
    lifetime: str | None = None
    allowed: bool = True


class Caching:
    """Decides for each request of a turn whether it gets cache points."""

    def __init__(self, policy: Policy, kwargs: Mapping[str, Any]) -> None:
        """Begin a turn.

        Args:
            policy: What the caller allows.
            kwargs: The caller's arguments of each call.
        """
        mode, control = policy.prompt_caching, kwargs.get("cache_control")
        self._model_id = policy.model_id
        self._support = None if mode is False else cache_support(policy.model_id)
        self._controlled = bool(control)
        self._is_auto = mode == "auto" and not self._controlled
        asked = control.get("ttl") if isinstance(control, dict) else mode
        self._asked: Lifetime = "1h" if asked == "1h" else "5m"
        self._has_points = False  # the last request
        self._is_cached = False  # a prefix, by an earlier request
        self._noted: UsageMetadata | None = None
        self._prompt_tokens: int | None = None

    def is_refused(self, error: BaseException) -> bool:
        """Return True if the service refused a point, and the request has ours."""
        return self._has_points and is_cache_refusal(error)

    def stop(self, error: BaseException) -> None:
        """Add no more points in this turn: the service refused one."""
        remember_cache_refusal(self._model_id, error)
        self._support = None

    def plan(self, last: UsageMetadata | None, answer: int) -> CachePlan | None:
        """Return what cache points the next request gets, or None if none.

        Args:
            last: The usage of the last response, or None if it is unknown.
            answer: How many messages at the request's end are ours.
        """
        self._note(last)
        left_alone = not answer and (self._is_auto or self._controlled)
        plan = None if left_alone else self._plan(last, answer)
        self._has_points = plan is not None
        return plan

    def _plan(self, last: UsageMetadata | None, answer: int) -> CachePlan | None:
        support = self._support
        if support is None:
            return None
        history = None if last is None else last["input_tokens"] + last["output_tokens"]
        of_prompt = _fits(self._prompt_tokens, support)
        of_history = answer > 1 and _fits(history, support)
        if not (of_prompt or of_history):
            return None
        return CachePlan(
            support=support,
            lifetime=self._asked if support.has_hour else "5m",
            answer=answer,
            of_prompt=of_prompt,
            of_history=of_history,
            everywhere=not self._is_auto,
        )

    def _note(self, usage: UsageMetadata | None) -> None:
        """Note whether what was cached is read (POINT-6)."""
        if usage is None or usage is self._noted:
            return
        self._noted = usage
        if self._prompt_tokens is None:
            self._prompt_tokens = usage["input_tokens"]
        read, written = cached_tokens(usage)
        missed = self._has_points and self._is_cached and not read
        if missed and self._is_auto:
            self._support = None
        self._is_cached = bool(read or written)


def _fits(tokens: int | None, support: CacheSupport) -> bool:
    """Return False for a prefix that is known to be too small or too large."""
    if tokens is None:
        return True
    return support.minimum <= tokens <= (support.maximum or tokens)


# The places -----------------------------------------------------------------------


def chosen_places(places: Sequence[Place], plan: CachePlan) -> dict[int, Lifetime]:
    """Return where a request gets points of ours, with their lifetimes.

    Args:
        places: The blocks of the request, in order.
        plan: What the request gets.

    Returns:
        Lifetimes by the number of the place after which the point stands.
    """
    room = MAX_CACHE_POINTS - sum(place.lifetime is not None for place in places)
    chosen: dict[int, Lifetime] = {}
    for at in _wanted(places, plan):
        lifetime = _lifetime_at(places, at, plan.lifetime)
        if at in chosen or places[at].lifetime or lifetime is None:
            continue
        if len(chosen) >= room:
            break
        chosen[at] = lifetime
    return chosen


def _wanted(places: Sequence[Place], plan: CachePlan) -> Iterator[int]:
    """Yield where points are wanted, the most useful first."""
    ends = {p.message: at for at, p in enumerate(places) if p.section == "messages"}
    last = max(ends, default=0)
    user = [one for one, at in ends.items() if places[at].role == "user"]
    prompt = [one for one in user if one <= last - plan.answer]
    allowed = [one for one in prompt if places[ends[one]].allowed]
    if plan.of_history:
        yield ends[last]
        yield from _out_of_sight(ends, last, user[:-1][-1:], plan.support)
    if plan.of_prompt and allowed:
        yield ends[allowed[-1]]
    if plan.everywhere:
        older = [one for one in allowed[:-1] if _answered(one, ends, places)]
        yield from _out_of_sight(ends, (allowed or [0])[-1], older[-1:], plan.support)
        yield from _section_end(places, "system")
        if plan.support.beside_tools:
            yield from _section_end(places, "tools")
    elif plan.of_prompt and not allowed:
        yield from _section_end(places, "system")


def _out_of_sight(
    ends: Mapping[int, int], seen_from: int, earlier: list[int], support: CacheSupport
) -> Iterator[int]:
    """Yield the end of an earlier message that no look-back reaches (POINT-2)."""
    for one in earlier:
        if ends[seen_from] - ends[one] > support.look_back:
            yield ends[one]


def _answered(message: int, ends: Mapping[int, int], places: Sequence[Place]) -> bool:
    """Return True if an assistant message follows: an earlier request ended here."""
    return message + 1 in ends and places[ends[message + 1]].role == "assistant"


def _section_end(places: Sequence[Place], section: Section) -> Iterator[int]:
    """Yield the end of a section that has no point yet (POINT-3)."""
    found = [at for at, place in enumerate(places) if place.section == section]
    if found and not any(places[at].lifetime for at in found):
        yield found[-1]


def _lifetime_at(places: Sequence[Place], at: int, wanted: Lifetime) -> Lifetime | None:
    """Return the lifetime that a point may have here, or None (POINT-4, POINT-5)."""
    if not places[at].allowed:
        return None
    before = [place.lifetime for place in places[:at] if place.lifetime]
    after = [place.lifetime for place in places[at + 1 :] if place.lifetime]
    lifetime: Lifetime = "5m" if "5m" in before else wanted
    return None if lifetime == "5m" and "1h" in after else lifetime
