"""Asks the bare model and ours the same, and keeps what each returned and sent."""

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import AIMessage

from langchain_bedrock_continue import ChatBedrockContinuing, ContinuationError
from langchain_bedrock_continue._core.decisions.cache_support import (
    forget_cache_refusals,
)
from langchain_bedrock_continue._core.decisions.forms import forget_forms
from langchain_bedrock_continue._core.decisions.prefill_support import forget_refusals
from langchain_bedrock_continue.local import LocalBedrock, ModelRules, RecordedRequest
from tests.support.answers import tools
from tests.support.entrances import ENTRANCES
from tests.support.models import chat_bedrock, client_of, plain_model
from tests.support.oracle.scripted_model import ScriptedModel, sent_size
from tests.support.oracle.situation import Situation
from tests.support.oracle.situations import PROFILE, PROFILES

SIZE_KEYS = frozenset({"maxTokens", "max_tokens"})


@dataclass
class Outcome:
    """What a caller has after asking one of the two models.

    Attributes:
        message: What was returned, or the partial message of a ContinuationError.
        error: What was raised.
        sent: The requests that it made.
        accepted: Those that the service has not refused.
        changed: What it changed of the caller's objects.
    """

    message: AIMessage | None = None
    error: Exception | None = None
    sent: list[RecordedRequest] = field(default_factory=list)
    accepted: list[RecordedRequest] = field(default_factory=list)
    changed: str = ""


class Comparison:
    """One endpoint for all situations, and the scripted model behind it."""

    def __init__(self) -> None:
        """Create it; `running` starts it."""
        models: dict[str, ModelRules] = {}
        self._model = ScriptedModel(models, PROFILES)
        self._bedrock = LocalBedrock(self._model, profiles=PROFILES, models=models)
        self._model.bedrock = self._bedrock

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Comparison"]:
        """Run the endpoint."""
        comparison = cls()
        with comparison._bedrock:
            yield comparison
        client_of.cache_clear()

    def outcomes(self, situation: Situation) -> tuple[Outcome, Outcome]:
        """Return what the bare model did, and what ours did.

        If `max_total_tokens` made the first request smaller, the bare model is asked
        for as many tokens: for those that the service accepted, if it refused others.
        """
        bare, ours = self._run(situation, ours=False), self._run(situation, ours=True)
        if "max_total_tokens" in situation.fields and bare.sent and ours.sent:
            size = sent_size([*ours.accepted, *ours.sent][0])
            if size is not None and size != sent_size(bare.sent[0]):
                bare = self._run(_of_size(situation, size), ours=False)
        return bare, ours

    def _run(self, situation: Situation, *, ours: bool) -> Outcome:
        forget_cache_refusals()
        forget_refusals()
        forget_forms()
        self._model.begin(situation)
        self._bedrock.clear()
        outcome = Outcome()
        messages = copy.deepcopy([*situation.messages])
        call = copy.deepcopy(situation.call)
        before = repr([messages, call])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # langchain-aws warns of odd input
            try:
                llm = self._llm(situation, ours=ours)
                outcome.message = ENTRANCES[situation.entrance](llm, messages, **call)
            except ContinuationError as error:
                outcome.error, outcome.message = error, error.partial
            except Exception as error:  # noqa: BLE001 - the promise is about any error
                outcome.error = error
        after = repr([messages, call])
        outcome.changed = "" if after == before else f"{before} -> {after}"
        outcome.sent = self._bedrock.requests
        outcome.accepted = self._model.accepted
        return outcome

    def _llm(self, situation: Situation, *, ours: bool) -> Any:
        given = copy.deepcopy(situation.arguments)
        if situation.model == PROFILE:
            given |= {"base_model": PROFILES[PROFILE], "provider": "anthropic"}
        elif situation.model.startswith("arn:"):
            given["provider"] = "anthropic"
        make = plain_model if situation.api == "Converse" else chat_bedrock
        llm: Any = make(self._bedrock, model=situation.model, **given)
        if ours:
            llm = ChatBedrockContinuing(llm=llm, **situation.fields)
        if not situation.tools:
            return llm
        choice = situation.tool_choice
        chosen = {} if choice is None else {"tool_choice": choice}
        return llm.bind_tools(tools(*situation.tools), **chosen)


def _of_size(situation: Situation, size: int) -> Situation:
    """Return the situation with another `max_tokens` of the first request."""
    call = {key: value for key, value in situation.call.items() if key != "max_tokens"}
    if config := call.get("inference_config"):
        others = {key: value for key, value in config.items() if key not in SIZE_KEYS}
        call["inference_config"] = {**others, "maxTokens": size}
    arguments = {**situation.arguments, "max_tokens": size}
    return replace(situation, arguments=arguments, call=call)
