"""The verdict table against botocore's own list of stop reasons."""

import botocore.session
import pytest

from langchain_bedrock_continue._core.decisions.stop_reasons import (
    STOP_REASONS,
    UNKNOWN,
    meaning_of,
)
from langchain_bedrock_continue._core.decisions.vocabulary import Action


def stop_reasons_of_converse() -> list[str]:
    service = botocore.session.get_session().get_service_model("bedrock-runtime")
    return list(service.shape_for("StopReason").enum)


@pytest.mark.parametrize("reason", stop_reasons_of_converse())
def test_every_stop_reason_of_converse_has_a_line(reason: str) -> None:
    assert reason in STOP_REASONS


def test_converse_has_the_nine_reasons_that_were_thought_through() -> None:
    assert len(stop_reasons_of_converse()) == 9


def test_v1_only_max_tokens_is_gone_on_after() -> None:
    cut = [
        name for name, line in STOP_REASONS.items() if line.action is Action.CONTINUE
    ]
    assert cut == ["max_tokens"]


@pytest.mark.parametrize("reason", [None, "", "a_new_reason", 7, ["end_turn"]])
def test_v2_an_unknown_reason_is_final(reason: object) -> None:
    assert meaning_of(reason) is UNKNOWN
    assert UNKNOWN.action is Action.END


def test_v3_only_the_models_own_end_vouches_for_a_tool_call() -> None:
    vouching = {name for name, line in STOP_REASONS.items() if line.last_block_complete}
    assert vouching == {"end_turn", "tool_use", "pause_turn"}
    assert not UNKNOWN.last_block_complete


def test_what_is_not_complete_says_why() -> None:
    ended_by = {
        name: line.ending
        for name, line in STOP_REASONS.items()
        if not (line.complete or line.action is Action.CONTINUE)
    }
    assert ended_by == {
        "model_context_window_exceeded": "context_window",
        "malformed_model_output": "error",
        "malformed_tool_use": "error",
        "pause_turn": "model",
    }
