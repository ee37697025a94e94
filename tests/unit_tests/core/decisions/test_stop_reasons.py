"""The rules STOP-1 to STOP-4, for the stop reasons that botocore knows."""

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
def test_every_stop_reason_of_converse_is_in_the_table(reason: str) -> None:
    assert reason in STOP_REASONS


def test_converse_has_no_new_stop_reason() -> None:
    assert len(stop_reasons_of_converse()) == 9


def test_stop_1_only_max_tokens_is_continued() -> None:
    continued = [
        name
        for name, meaning in STOP_REASONS.items()
        if meaning.action is Action.CONTINUE
    ]
    assert continued == ["max_tokens"]


@pytest.mark.parametrize("reason", ["", "a_new_reason", 7, ["end_turn"]])
def test_stop_2_an_unknown_reason_is_final(reason: object) -> None:
    assert meaning_of(reason) is UNKNOWN
    assert UNKNOWN.action is Action.END


def test_stop_3_the_last_block_is_complete_only_if_the_model_ended_it() -> None:
    complete = {
        name for name, meaning in STOP_REASONS.items() if meaning.last_block_complete
    }
    assert complete == {"end_turn", "tool_use", "pause_turn"}
    assert not UNKNOWN.last_block_complete


def test_stop_4_a_response_without_a_reason_is_complete() -> None:
    given = meaning_of(None)
    assert given.action is Action.END
    assert given.complete
    assert given.last_block_complete


def test_a_reason_that_leaves_the_answer_incomplete_has_an_ending() -> None:
    ended_by = {
        name: meaning.ending
        for name, meaning in STOP_REASONS.items()
        if not (meaning.complete or meaning.action is Action.CONTINUE)
    }
    assert ended_by == {
        "model_context_window_exceeded": "context_window",
        "malformed_model_output": "error",
        "malformed_tool_use": "error",
        "pause_turn": "model",
    }
