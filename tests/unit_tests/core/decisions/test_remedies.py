"""Every limit that can end a turn has a remedy, and remedies name real fields."""

import re

import pytest

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue._core.decisions.remedies import REMEDIES, remedy_of
from langchain_bedrock_continue._core.decisions.vocabulary import LIMITS, Ending


@pytest.mark.parametrize("ending", sorted(LIMITS | {Ending.TOOL_CALL}))
def test_every_limit_has_a_remedy(ending: Ending) -> None:
    assert remedy_of(ending.value).endswith(".")


def test_a_remedy_names_fields_that_exist() -> None:
    fields = {*ChatBedrockContinuing.model_fields, "max_tokens"}
    named = {
        name for text in REMEDIES.values() for name in re.findall(r"\w+_\w+", text)
    }
    assert named
    assert named <= fields


@pytest.mark.parametrize("ended_by", ["model", "error", "of a later version", None])
def test_what_is_no_limit_has_none(ended_by: str | None) -> None:
    assert remedy_of(ended_by) == ""
