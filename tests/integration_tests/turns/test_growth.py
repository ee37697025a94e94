"""Continuations that ask for more, and the end of the context window, over HTTP."""

from typing import Any

import pytest

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    FaultAt,
    LocalBedrock,
    ModelRules,
)
from tests.support.endpoint import Serve
from tests.support.entrances import ENTRANCES, TWO_ENTRANCES, Entrance
from tests.support.messages import continuation, ending, sent_sizes
from tests.support.models import (
    PREFILL_MODEL,
    STRATEGIES,
    chat_bedrock,
    model,
    plain_model,
)
from tests.support.scripts import continuing

TEXT = " ".join(f"word{n}" for n in range(300))
"""About 800 tokens of the script's tokenizer."""


def metadata_sizes(message: Any) -> list[int | None]:
    """Return what the metadata says of each segment's size."""
    return [entry["max_tokens"] for entry in continuation(message)["segments"]]


WAYS = [
    *((name, "prefill") for name in ENTRANCES),
    *((name, "user turn") for name in TWO_ENTRANCES),
]


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_each_continuation_asks_for_more(serve: Serve, name: str, way: str) -> None:
    bedrock = serve(continuing(Answer(TEXT)))
    sizes = {"max_tokens": 50, "max_tokens_growth": 2, "max_tokens_ceiling": 300}
    message = ENTRANCES[name](model(bedrock, model=STRATEGIES[way], **sizes), "Hi")
    assert message.text == TEXT
    assert sent_sizes(bedrock)[:4] == [50, 100, 200, 300]
    assert metadata_sizes(message) == sent_sizes(bedrock)
    assert ending(message) == ("model", True)


def test_a_call_of_invoke_model_asks_for_more(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(continuing(Answer(TEXT)))
    llm = ChatBedrockContinuing(
        llm=chat_bedrock(bedrock, model=PREFILL_MODEL, max_tokens=50)
    )
    message = entrance(llm, "Hi", max_tokens_growth=3)
    assert message.text == TEXT
    assert sent_sizes(bedrock)[:3] == metadata_sizes(message)[:3] == [50, 150, 450]


def test_a_size_that_the_service_refuses_raises_no_error(
    serve: Serve, entrance: Entrance
) -> None:
    refused = Fault("exception", "ValidationException", "max_tokens: not valid", 400)
    answer = Answer(TEXT, faults=[FaultAt(refused, request=3)])
    bedrock = serve(answer)
    llm = model(bedrock, model=PREFILL_MODEL, max_tokens=50, max_tokens_growth=2)
    message = entrance(llm, "Hi")
    assert message.text == TEXT
    assert sent_sizes(bedrock)[:5] == [50, 100, 200, 100, 100]
    assert metadata_sizes(message)[:4] == [50, 100, 100, 100]


@pytest.mark.parametrize("factor", [0.5, float("nan"), "twice"])
def test_a_factor_that_is_not_valid_is_named(serve: Serve, factor: Any) -> None:
    with pytest.raises(ValueError, match="max_tokens_growth"):
        model(serve(TEXT), max_tokens_growth=factor)
    with pytest.raises(ValueError, match="max_tokens_growth"):
        model(serve(TEXT)).invoke("Hi", max_tokens_growth=factor)


WINDOW = 600
"""A context window, in tokens: the answer does not fit into it."""

PROFILE = {"max_input_tokens": WINDOW, "max_output_tokens": 500}


@pytest.fixture(scope="module")
def small() -> Any:
    """Start an endpoint whose models have a small context window."""
    rules = {
        "anthropic.claude-sonnet-4-5-small": ModelRules(
            "claude", takes_prefill=True, version=(4, 5), context_window=WINDOW
        ),
        "anthropic.claude-sonnet-4-6-small": ModelRules(
            "claude", version=(4, 6), context_window=WINDOW
        ),
    }
    with LocalBedrock(continuing(Answer(TEXT)), models=rules) as bedrock:
        yield bedrock


def by(entrance: str, bedrock: LocalBedrock, version: str, **more: Any) -> Any:
    """Ask a model with a small window."""
    model_id = f"anthropic.claude-sonnet-{version}-small"
    settings = {"model": model_id, "max_tokens": 90, "max_tokens_growth": 1.5, **more}
    bedrock.clear()
    return ENTRANCES[entrance](model(bedrock, **settings), "Hi")


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_a_turn_ends_before_a_call_that_does_not_fit(
    small: LocalBedrock, name: str, way: str
) -> None:
    version = "4-5" if way == "prefill" else "4-6"
    message = by(name, small, version, profile=PROFILE)
    assert ending(message) == ("context_window", False)
    assert len(small.requests) == len(continuation(message)["segments"]) > 2
    assert TEXT.startswith(message.text)
    assert metadata_sizes(message)[:2] == [90, 135]
    last = continuation(message)["segments"][-1]
    assert WINDOW - 260 < last["input_tokens"] + last["output_tokens"] <= WINDOW


def test_the_window_that_a_refusal_named_is_known_to_the_next_turn(
    small: LocalBedrock,
) -> None:
    first = by("invoke", small, "4-5")
    assert ending(first) == ("context_window", False)
    assert len(small.requests) > len(continuation(first)["segments"])
    second = by("stream", small, "4-5")
    assert ending(second) == ("context_window", False)
    assert len(small.requests) == len(continuation(second)["segments"])
    assert first.text.startswith(second.text.rstrip())


def test_without_a_known_window_nothing_changes(small: LocalBedrock) -> None:
    beta = {"anthropic_beta": ["context-1m-2025-08-07"]}
    message = by(
        "invoke", small, "4-5", profile=PROFILE, additional_model_request_fields=beta
    )
    assert ending(message) == ("context_window", False)
    assert len(small.requests) > len(continuation(message)["segments"])


def test_the_window_of_one_call_is_not_that_of_a_call_with_a_larger_one(
    serve: Serve,
) -> None:
    """Both calls are to one model. The beta feature is not refused what is smaller."""
    text = "context limit: 210 + 50 > 230, decrease input length or `max_tokens`"
    refused = Fault("exception", "ValidationException", text, 400)
    profile = {"max_input_tokens": 1_000, "max_output_tokens": 500}
    settings: Any = {"model": PREFILL_MODEL, "max_tokens": 50, "profile": profile}
    bedrock = serve(Answer(TEXT, faults=[FaultAt(refused, request=3)]))
    usual = model(bedrock, **settings).invoke("Hi")
    assert ending(usual) == ("context_window", False)
    beta = {"anthropic_beta": ["context-1m-2025-08-07"]}
    larger = model(bedrock, **settings, additional_model_request_fields=beta)
    message = larger.invoke("Hi")
    assert message.text == TEXT
    assert ending(message) == ("model", True)


def test_a_first_call_is_the_callers_own_whatever_the_window(
    small: LocalBedrock,
) -> None:
    model_id = "anthropic.claude-sonnet-4-5-small"
    settings = {"model": model_id, "max_tokens": 700, "profile": PROFILE}
    for make in (plain_model, model):
        with pytest.raises(Exception, match="exceed context limit"):
            make(small, **settings).invoke("Hi")
