"""Situations at random: each combination that a caller may choose, valid or odd."""

from typing import Any

from hypothesis import strategies as st

from tests.support.entrances import ENTRANCES
from tests.support.oracle.conversations import TOOLS, conversations
from tests.support.oracle.model_answers import STOP, answers
from tests.support.oracle.situation import Api, ServiceLimits, Situation

PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
PROFILES = {PROFILE: "anthropic.claude-sonnet-4-6"}
"""The application inference profiles of the endpoint."""

CLAUDE = (
    "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
    "anthropic.claude-3-haiku-20240307-v1:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.anthropic.claude-sonnet-4-6",
    "global.anthropic.claude-opus-5",
    "us.anthropic.claude-sonnet-5-5",
)
CONVERSE_MODELS = (
    *CLAUDE,
    "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-6",
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    PROFILE,
    "us.amazon.nova-pro-v1:0",
    "us.amazon.nova-2-lite-v1:0",
    "us.meta.llama3-3-70b-instruct-v1:0",
    "us.deepseek.r1-v1:0",
    "mistral.mistral-large-2407-v1:0",
    "xyz.some-new-model-v1:0",
)

APIS: tuple[Api, ...] = ("Converse", "Converse", "Converse", "InvokeModel")

GUARDRAIL = {"guardrailIdentifier": "g1", "guardrailVersion": "1"}
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
}
RESPONSE_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "port", "schema": SCHEMA},
}
BUDGET = {"type": "enabled", "budget_tokens": 8}
ADAPTIVE = {"type": "adaptive"}

SIZES = (5, 1, 2, 3, 8, 13, 21, 34, 89, 500, None)

# Sizes that the service refuses (exclusive limits, context windows, small defaults).
# False while a refused size of a continuation still raises: "input length and
# `max_tokens` exceed context limit". Set it to True once such a turn ends instead.
SERVICE_REFUSES_SIZES = False


def _some(choices: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Return a few of the arguments, at most three."""
    names = st.lists(st.sampled_from(sorted(choices)), max_size=3, unique=True)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries({name: choices[name] for name in chosen})
    )


OUR_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "strategy": st.sampled_from(["auto", "prefill", "user_turn"]),
    "max_continuations": st.sampled_from([0, 1, 3]),
    "max_total_tokens": st.sampled_from([1, 5, 12, 40, 200]),
    "on_limit": st.sampled_from(["return", "raise"]),
    "tool_call_recovery": st.sampled_from(["retry", "resume", "return", "raise"]),
    "max_tokens_ceiling": st.sampled_from([4, 16, 64, 20_000]),
    "max_tokens_growth": st.sampled_from([1.3, 4.0]),
    "stream_recoveries": st.sampled_from([0, 5]),
    "usage_view": st.sampled_from(["billed", "response"]),
    "message_usage": st.sampled_from(["billed", "response"]),
    "prompt_caching": st.sampled_from([True, "5m", "1h", False]),
    "continuation_prompt": st.just("Repeat this and go on: {tail}"),
}

CONVERSE_ARGUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.sampled_from([0.0, 1.0]),
    "stop_sequences": st.just([STOP]),
    "system": st.just(["Be very kind."]),
    "output_version": st.just("v1"),
    "guardrail_config": st.just(GUARDRAIL),
    "thinking": st.sampled_from([BUDGET, ADAPTIVE]),
    "last_turn": st.just(GUARDRAIL),
    "streaming": st.sampled_from([True]),
}
INVOKE_ARGUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.sampled_from([0.0, 1.0]),
    "stop_sequences": st.just([STOP]),
    "system_prompt_with_tools": st.just("Be very kind."),
    "output_version": st.just("v1"),
    "guardrails": st.just({**GUARDRAIL, "trace": True}),
    "streaming": st.sampled_from([True]),
    "thinking": st.sampled_from([BUDGET, ADAPTIVE]),
}
CONVERSE_CALL: dict[str, st.SearchStrategy[Any]] = {
    "stop": st.just([STOP]),
    "max_tokens": st.sampled_from([4, 40]),
    "temperature": st.just(0.0),
    "inference_config": st.sampled_from(
        [{"maxTokens": 7}, {"max_tokens": 9, "temperature": 1.0}, {"temperature": 1.0}]
    ),
    "response_format": st.just(RESPONSE_FORMAT),
    "additional_model_request_fields": st.sampled_from(
        [{"thinking": BUDGET}, {"thinking": ADAPTIVE}, {"top_k": 3}]
    ),
    "cache_control": st.just({"type": "ephemeral", "ttl": "5m"}),
}
INVOKE_CALL: dict[str, st.SearchStrategy[Any]] = {
    "stop": st.just([STOP]),
    "max_tokens": st.sampled_from([4, 40]),
    "temperature": st.just(0.0),
    "thinking": st.sampled_from([BUDGET, ADAPTIVE]),
}


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Return a situation."""
    api: Api = draw(st.sampled_from(APIS))
    is_converse = api == "Converse"
    has_tools = draw(st.booleans())
    given = draw(_some(CONVERSE_ARGUMENTS if is_converse else INVOKE_ARGUMENTS))
    # ChatBedrock returns none unless a document asks for them, which the local endpoint
    # does not support in InvokeModel.
    said = answers(has_tools=has_tools, cites=is_converse)
    later = draw(st.lists(said, min_size=1, max_size=3))
    messages = draw(conversations(api, has_tools=has_tools))
    choices = [None, None, "auto", "any", *TOOLS]
    return Situation(
        api=api,
        model=draw(st.sampled_from(CONVERSE_MODELS if is_converse else CLAUDE)),
        arguments=_arguments(given, draw(st.sampled_from(SIZES)), converse=is_converse),
        fields=draw(_some(OUR_FIELDS)),
        messages=tuple(messages),
        tools=TOOLS if has_tools else (),
        tool_choice=draw(st.sampled_from(choices)) if has_tools else None,
        call=draw(st.just({}) | _some(CONVERSE_CALL if is_converse else INVOKE_CALL)),
        entrance=draw(st.sampled_from(sorted(ENTRANCES))),
        limits=draw(_limits()),
        answer=draw(said),
        later=tuple(later) if draw(st.integers(0, 2)) == 2 else (),
    )


def _arguments(
    given: dict[str, Any], size: int | None, *, converse: bool
) -> dict[str, Any]:
    """Return the arguments with the thinking, and the guardrail, in their places."""
    given = {**given, "max_tokens": size}
    if (thinking := given.pop("thinking", None)) is not None:
        place = "additional_model_request_fields" if converse else "model_kwargs"
        given[place] = {"thinking": thinking}
    if (guardrail := given.pop("last_turn", None)) is not None:
        given |= {"guardrail_config": guardrail, "guard_last_turn_only": True}
    return given


def _limits() -> st.SearchStrategy[ServiceLimits]:
    if not SERVICE_REFUSES_SIZES:
        return st.just(ServiceLimits())
    limited = st.builds(
        ServiceLimits,
        max_output_tokens=st.sampled_from([None, 20, 60, 600]),
        exclusive=st.booleans(),
        context_window=st.sampled_from([None, None, 200, 1000]),
        default_max_tokens=st.sampled_from([None, 6, 30]),
    )
    return st.just(ServiceLimits()) | limited
