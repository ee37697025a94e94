"""The rule of the context window, with the text of each family (WINDOW)."""

import pytest

from langchain_bedrock_continue.local.rules.context_window import check_context_window
from langchain_bedrock_continue.local.rules.models import ModelRules
from langchain_bedrock_continue.local.wire.errors import VENDOR_PREFIX, ServiceError

CASES: list[tuple[str, int, int, str | None]] = [
    ("claude", 60, 40, None),
    (
        "claude",
        61,
        40,
        (
            "input length and `max_tokens` exceed context limit: 61 + 40 > 100, "
            "decrease input length or `max_tokens` and try again"
        ),
    ),
    ("claude", 101, 1, "prompt is too long: 101 tokens > 100 maximum"),
    ("nova", 61, 40, None),
    (
        "nova",
        101,
        1,
        (
            "Input Tokens Exceeded: Number of input tokens exceeds maximum length. "
            "Please update the input to try again."
        ),
    ),
    (
        "unknown",
        61,
        40,
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 40. This model's "
            "maximum context length is 100 tokens and your request has 61 input tokens "
            "(40 > 100 - 61). (parameter=max_tokens, value=40)"
        ),
    ),
    (
        "unknown",
        101,
        1,
        (
            "This model's maximum context length is 100 tokens. Please reduce the "
            "length of the prompt"
        ),
    ),
]


@pytest.mark.parametrize(("family", "tokens", "max_tokens", "text"), CASES)
def test_input_and_max_tokens_fit_into_the_window(
    family: str, tokens: int, max_tokens: int, text: str | None
) -> None:
    model = ModelRules(family, context_window=100)
    check_context_window(tokens, max_tokens, ModelRules(family))
    if text is None:
        check_context_window(tokens, max_tokens, model)
        return
    with pytest.raises(ServiceError) as refused:
        check_context_window(tokens, max_tokens, model)
    assert refused.value.code == "ValidationException"
    assert refused.value.message.removeprefix(VENDOR_PREFIX) == text
