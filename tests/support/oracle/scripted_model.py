"""The model behind the endpoint: one answer, continued as a request asks for it."""

from collections.abc import AsyncIterator, Iterator, MutableMapping
from dataclasses import replace
from typing import Any

from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    LocalBedrock,
    ModelRules,
    RecordedRequest,
    Request,
    Say,
    Script,
)
from langchain_bedrock_continue.local.backend import Piece, Text
from langchain_bedrock_continue.local.rules.models import rules_for
from langchain_bedrock_continue.local.script.playback import prefill_text, remaining
from tests.support.oracle.situation import ServiceLimits, Situation
from tests.support.scripts import quote_of, texts_of

OVER_LIMIT = (
    "The maximum tokens you requested exceeds the model limit of {0}. Try again with a "
    "maximum tokens value that is lower than {0}."
)
OVER_WINDOW = (
    "input length and `max_tokens` exceed context limit: {} + {} > {}, decrease input "
    "length or `max_tokens` and try again"
)


def sent_size(request: RecordedRequest) -> int | None:
    """Return the `max_tokens` of a request, or None where it has none."""
    config = request.body.get("inferenceConfig") or {}
    size: int | None = request.body.get("max_tokens", config.get("maxTokens"))
    return size


NOTHING_QUOTED = "Continue exactly where it ended"
"""A part of the user turn that asks for no repetition."""


class ScriptedModel:
    """A model of one situation after the other, and the limits of its service.

    It continues as it is asked to: after a prefill, after the quote of a user turn,
    which it repeats, or where it ended, if nothing is quoted. If it does not find its
    text, it begins again.

    Attributes:
        accepted: The requests that the service has not refused.
    """

    def __init__(
        self, models: MutableMapping[str, ModelRules], profiles: dict[str, str]
    ) -> None:
        """Create it; `models` are the endpoint's rules, which it sets."""
        self._models = models
        self._profiles = profiles
        self._situation = Situation()
        self.bedrock: LocalBedrock | None = None
        self.accepted: list[RecordedRequest] = []
        self._written = 0  # characters of its text
        self._written_at: dict[tuple[int, int], int] = {}
        self._callers_prefill = ""

    def begin(self, situation: Situation) -> None:
        """Begin a situation."""
        self._situation = situation
        self.accepted, self._callers_prefill = [], ""
        self._written, self._written_at = 0, {}
        self._models.clear()
        rules = rules_for(situation.model, profiles=self._profiles)
        if rules is not None:
            self._models[situation.model] = _limited(rules, situation.limits)

    def start(self) -> None:
        """Start nothing."""

    def close(self) -> None:
        """Close nothing."""

    async def count_tokens(self, request: Request) -> int:
        """Count as a script does."""
        return await Script("").count_tokens(request)

    async def generate(self, request: Request) -> AsyncIterator[Piece]:
        """Answer, or refuse a size."""
        assert self.bedrock is not None
        sent = self.bedrock.requests[-1]
        if text := await self._refusal(request, sent_size(sent)):
            yield Fault("exception", "ValidationException", text, status=400)
            return
        if not self.accepted:
            self._callers_prefill = prefill_text(request)
        request = self._own_part(request)
        # A request of the same length asks again: the last response is not used.
        length = (len(request.messages), len(prefill_text(request)))
        self._written = self._written_at.setdefault(length, self._written)
        answer, at = self._answer(request)
        self.accepted.append(sent)
        async for piece in Script(answer).generate(request):
            if isinstance(piece, Text):
                at += len(piece.text)
                self._written = max(self._written, at)
            yield piece

    async def _refusal(self, request: Request, size: int | None) -> str | None:
        limits = self._situation.limits
        most, window = limits.max_output_tokens, limits.context_window
        if limits.exclusive and size is not None and size == most:
            return OVER_LIMIT.format(most)
        if window is not None:
            tokens = await self.count_tokens(request)
            if tokens + request.max_tokens > window:
                return OVER_WINDOW.format(tokens, request.max_tokens, window)
        return None

    def _answer(self, request: Request) -> tuple[Answer, int]:
        """Return what is left to say, and the place in the text where it begins."""
        answer, later = self._situation.answer, self._situation.later
        at = len(self.accepted)
        if at and later:
            return later[min(at, len(later)) - 1], 0
        quote = self._quote(request) if at else ""
        found = self._text.rfind(quote, 0, self._written) if quote else -1
        if at and NOTHING_QUOTED in texts_of(request)[-1]:
            found = self._written
        if found < 0:
            return answer, len(prefill_text(request))
        rest = [block for _, block in remaining(answer.blocks, self._text[:found])]
        return replace(answer, content=rest), found

    def _quote(self, request: Request) -> str:
        """Return what the model is asked to repeat, also in the caller's own words."""
        before, tail, after = self._situation.fields.get(
            "continuation_prompt", ""
        ).partition("{tail}")
        asked = texts_of(request)[-1]
        if tail and asked.startswith(before) and asked.endswith(after):
            return asked.removeprefix(before).removesuffix(after)
        return quote_of(request)

    @property
    def _text(self) -> str:
        return "".join(_texts(self._situation.answer))

    def _own_part(self, request: Request) -> Request:
        """Return the request without the part of its prefill that the caller wrote."""
        prefill = prefill_text(request)
        if not self._callers_prefill or not prefill.startswith(self._callers_prefill):
            return request
        own = {
            "role": "assistant",
            "content": [{"text": prefill[len(self._callers_prefill) :]}],
        }
        return replace(request, messages=[*request.messages[:-1], own])


def _texts(answer: Answer) -> Iterator[str]:
    return (block.text for block in answer.blocks if isinstance(block, Say))


def _limited(rules: ModelRules, limits: ServiceLimits) -> ModelRules:
    changed: dict[str, Any] = {
        "max_output_tokens": limits.max_output_tokens,
        "default_max_tokens": limits.default_max_tokens,
    }
    given = {name: value for name, value in changed.items() if value is not None}
    return replace(rules, **given)
