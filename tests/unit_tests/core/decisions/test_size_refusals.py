"""The texts with which services refuse a size, and whose size it is (SIZE)."""

import itertools
from typing import Any

import pytest
from botocore import exceptions as botocore_errors
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.exceptions import ContextOverflowError

from langchain_bedrock_continue._core.decisions.size_refusals import (
    WINDOW,
    Reason,
    SentCall,
    SizeRefusal,
    is_overflowed_call,
    refusal_in,
    refusal_of,
)
from langchain_bedrock_continue._core.decisions.vocabulary import Strategy

PREFIX = "The model returned the following errors: "


def refused(text: str, code: str = "ValidationException") -> Exception:
    kind: Any = botocore_errors.ClientError
    error: Exception = kind({"Error": {"Code": code, "Message": text}}, "Converse")
    return error


LIMIT, NO_ROOM, TOO_LONG = Reason.MODEL_LIMIT, Reason.NO_ROOM, Reason.INPUT_TOO_LONG

TEXTS: list[tuple[str, Reason, int | None]] = [
    (
        (
            "The maximum tokens you requested exceeds the model limit of 4096. Try "
            "again with a maximum tokens value that is lower than 4096."
        ),
        LIMIT,
        4096,
    ),
    ("The maximum tokens you requested exceeds the model limit of 32768", LIMIT, 32768),
    (
        (
            "max_tokens: 9000 > 8192, which is the maximum allowed number of output "
            "tokens for claude-3-5-sonnet-20241022"
        ),
        LIMIT,
        8192,
    ),
    (
        (
            "Malformed input request: #/max_gen_len: 5000 is not less or equal to "
            "2048, please reformat your input and try again."
        ),
        LIMIT,
        2048,
    ),
    (
        (
            "Value '9' at 'inferenceConfig.maxTokens' failed to satisfy constraint: "
            "Member must have value less than or equal to 8"
        ),
        LIMIT,
        8,
    ),
    ("max_tokens must be less than or equal to `8,000`", Reason.UNNAMED, None),
    (
        (
            f"{PREFIX}input length and `max_tokens` exceed context limit: 199759 + "
            "8192 > 200000, decrease input length or `max_tokens` and try again"
        ),
        NO_ROOM,
        241,
    ),
    (
        (
            f"{PREFIX}'max_tokens' or 'max_completion_tokens' is too large: 262144. "
            "This model's maximum context length is 262144 tokens and your request has "
            "22554 input tokens (262144 > 262144 - 22554). (parameter=max_tokens, "
            "value=262144)"
        ),
        NO_ROOM,
        239590,
    ),
    (
        (
            "This model's maximum context length is 131072 tokens. However, you "
            "requested 131134 tokens (122942 in the messages, 8192 in the completion). "
            "Please reduce the length of the messages or completion."
        ),
        NO_ROOM,
        8130,
    ),
    (
        (
            "Requested token count exceeds the model's maximum context length of "
            "163840 tokens. You requested a total of 183491 tokens: 19651 tokens from "
            "the input messages and 163840 tokens for the completion."
        ),
        NO_ROOM,
        144189,
    ),
    (
        (
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= "
            "2048. Given: 474 `inputs` tokens and 1600 `max_new_tokens`"
        ),
        NO_ROOM,
        1574,
    ),
    (
        "This model's maximum context length is 8192 tokens, which max_tokens exceeds.",
        NO_ROOM,
        None,
    ),
    (f"{PREFIX}prompt is too long: 200049 tokens > 200000 maximum", TOO_LONG, None),
    ("Input is too long for requested model.", TOO_LONG, None),
    (
        (
            "Input Tokens Exceeded: Number of input tokens exceeds maximum length. "
            "Please update the input to try again."
        ),
        TOO_LONG,
        None,
    ),
    (
        (
            f"{PREFIX}`max_tokens` must be greater than `thinking.budget_tokens`. "
            "Please consult our documentation"
        ),
        Reason.THINKING_BUDGET,
        None,
    ),
    ("maxTokens must not be set with this effort", Reason.UNNAMED, None),
]
"""Texts of public reports, what they say, and the limit that they name."""


@pytest.mark.parametrize(("text", "reason", "most"), TEXTS)
def test_size_2_each_text_is_read(text: str, reason: Reason, most: int | None) -> None:
    assert refusal_in(refused(text)) == SizeRefusal(reason, most)


OTHER_TEXTS = [
    (
        "This model does not support assistant message prefill. The conversation must "
        "end with a user message."
    ),
    "Too many requests, please wait before trying again.",
    "messages: text content blocks must contain non-whitespace text",
    "The provided model identifier is invalid.",
    "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    "",
]


@pytest.mark.parametrize("text", OTHER_TEXTS)
def test_other_texts_are_no_refusal_of_a_size(text: str) -> None:
    assert refusal_in(refused(text)) is None


def test_an_unnamed_refusal_has_the_code_of_an_invalid_request() -> None:
    text = "maxTokens must not be set"
    for code in ("ValidationException", "validationException", "400"):
        assert refusal_in(refused(text, code)) == SizeRefusal(Reason.UNNAMED)
    for code in ("ThrottlingException", "AccessDeniedException", ""):
        assert refusal_in(refused(text, code)) is None
    assert refusal_in(ValueError(text)) is None


def test_a_context_overflow_of_langchain_is_an_input_that_is_too_long() -> None:
    assert refusal_in(ContextOverflowError("m")) == SizeRefusal(TOO_LONG)


NUMBERS = st.sampled_from([",", ",,,", "0", "00", "9" * 5000, "-3", "", "٤", "1e9"])
FORMS = st.sampled_from(
    [
        "tokens you requested exceeds the model limit of {}. Try",
        "max_tokens: 9 > {}, which is the maximum",
        "`max_tokens` exceed context limit: {} + 5 > {}, decrease",
        "maximum context length is {} tokens and your request has {} input tokens",
        "max_tokens at most {}",
    ]
)


@given(NUMBERS, FORMS)
def test_no_number_breaks_the_reading(number: str, form: str) -> None:
    found = refusal_in(refused(form.replace("{}", number)))
    assert found is None or found.most is None or found.most >= 0


# Whose size it is --------------------------------------------------------------------

REFUSALS = {reason: text for text, reason, _ in TEXTS}
STRATEGIES = (None, *Strategy)


def test_size_1_a_size_of_the_caller_is_refused_as_the_callers_own() -> None:
    for reason, text in REFUSALS.items():
        assert refusal_of(refused(text), SentCall()) is None
        for strategy in (Strategy.PREFILL, Strategy.USER_TURN, Strategy.RESEND):
            found = refusal_of(refused(text), SentCall(strategy))
            assert (found is not None) == (reason in WINDOW)


def test_size_1_a_size_that_we_chose_is_ours_in_every_call() -> None:
    for text, strategy in itertools.product(REFUSALS.values(), STRATEGIES):
        assert refusal_of(refused(text), SentCall(strategy, chosen=True)) is not None


def test_size_3_any_refusal_of_a_retry_with_another_size_is_one_of_its_size() -> None:
    for text, strategy in itertools.product(OTHER_TEXTS, STRATEGIES):
        call = SentCall(strategy, chosen=True, differs=True)
        found = refusal_of(refused(text), call)
        assert (found is not None) == (strategy is Strategy.RETRY)
        throttled = refused(text, "ThrottlingException")
        assert refusal_of(throttled, call) is None


def test_a_response_with_content_was_not_refused() -> None:
    for text, strategy in itertools.product(REFUSALS.values(), STRATEGIES):
        call = SentCall(strategy, chosen=True, differs=True, has_content=True)
        assert refusal_of(refused(text), call) is None


# A tool call that overflowed ---------------------------------------------------------

NOVA, CLAUDE = "amazon.nova-pro-v1:0", "anthropic.claude-sonnet-4-5"
INVALID = (
    "Model produced invalid sequence as part of ToolUse. Please refer to the guide."
)


@pytest.mark.parametrize(
    ("code", "text", "model_id", "expected"),
    [
        ("ModelErrorException", INVALID, NOVA, True),
        ("modelErrorException", INVALID, "", True),
        ("modelStreamErrorException", INVALID, NOVA, True),
        ("ModelErrorException", "The model failed.", NOVA, True),
        ("ModelErrorException", "The model failed.", CLAUDE, False),
        ("modelStreamErrorException", "Try again.", NOVA, False),
        ("ThrottlingException", INVALID, NOVA, False),
    ],
)
def test_how_nova_reports_an_overflowing_call(
    code: str, text: str, model_id: str, expected: bool
) -> None:
    error = refused(text, code)
    assert is_overflowed_call(error, model_id, has_tools=True) is expected
    assert not is_overflowed_call(error, model_id, has_tools=False)
