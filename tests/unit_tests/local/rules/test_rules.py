"""Every rule of the local endpoint, with its exact text (RULES)."""

import copy
from collections.abc import Callable

import pytest

from langchain_bedrock_continue.local.rules.models import ModelRules, rules_for
from langchain_bedrock_continue.local.rules.table import (
    NOT_CACHED,
    RULES,
    check,
    check_invoke,
)
from langchain_bedrock_continue.local.wire.errors import ServiceError
from tests.support import (
    rule_cases,
    rule_cases_caching,
    rule_cases_claude,
    rule_cases_thinking,
)
from tests.support.rule_requests import (
    CACHE_POINT,
    CLAUDE_3_5,
    LLAMA,
    TOOLS,
    Json,
    assistant,
    body,
    user,
)

CASES = [
    *rule_cases.CASES,
    *rule_cases_caching.CASES,
    *rule_cases_claude.CASES,
    *rule_cases_thinking.CASES,
]


def refusal(model_id: str, request: Json) -> str | None:
    model = rules_for(model_id)
    assert model is not None
    before, refused = copy.deepcopy(request), None
    try:
        check(request, model)
    except ServiceError as error:
        refused = error
    assert request == before  # RULES-3
    if refused is None:
        return None
    assert (refused.code, refused.status) == ("ValidationException", 400)
    return refused.message


@pytest.mark.parametrize(
    ("model_id", "request_body", "text"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_rule(model_id: str, request_body: Json, text: str | None) -> None:
    assert refusal(model_id, request_body) == text


def first_broken(model_id: str, request: Json) -> int | None:
    model = rules_for(model_id)
    assert model is not None
    return next((i for i, r in enumerate(RULES) if r(request, model)), None)


def test_every_rule_has_a_case() -> None:
    """RULES-1: a rule that no case breaks is dead or untested."""
    broken = {first_broken(model_id, request) for _, model_id, request, _ in CASES}
    assert broken - {None} == set(range(len(RULES)))


def test_bedrocks_rules_come_before_the_vendors() -> None:
    """RULES-2."""
    both_wrong = body(user("a"), assistant("b "), inferenceConfig={"temperature": 2})
    text = refusal(CLAUDE_3_5, both_wrong)
    assert text is not None
    assert text.startswith("Value '2'")


def test_a_model_can_allow_tools_with_a_prefill() -> None:
    model = ModelRules("claude", takes_prefill=True, prefill_with_tools=True)
    check(body(user("a"), assistant("b"), toolConfig=TOOLS), model)


@pytest.mark.parametrize("checks", [check, check_invoke])
def test_rules_4_a_model_without_a_prompt_cache(checks: Callable[..., None]) -> None:
    model = rules_for(LLAMA)
    assert model is not None
    checks(body(user("a")), model)
    with pytest.raises(ServiceError) as refused:
        checks(body(user("a", CACHE_POINT, "")), model)
    assert (refused.value.code, refused.value.status) == ("AccessDeniedException", 403)
    assert refused.value.message == NOT_CACHED


@pytest.mark.parametrize(("exclusive", "most"), [(False, 100), (True, 99)])
def test_the_limit_of_max_tokens_is_inclusive_or_exclusive(
    exclusive: bool, most: int
) -> None:
    model = ModelRules(max_output_tokens=100, limit_is_exclusive=exclusive)
    check(body(user("a"), inferenceConfig={"maxTokens": most}), model)
    with pytest.raises(ServiceError, match="model limit of 100"):
        check(body(user("a"), inferenceConfig={"maxTokens": most + 1}), model)
    assert model.max_tokens_if_unset == most
