"""The report of a turn over HTTP, for both classes."""

import pytest

from langchain_bedrock_continue import ChatBedrockContinuing, ContinuationReport
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation
from tests.support.models import (
    PREFILL_MODEL,
    REFUSING_MODEL,
    chat_bedrock,
    plain_model,
)
from tests.support.scripts import echoing
from tests.support.texts import LONG


@pytest.mark.parametrize("make", [plain_model, chat_bedrock])
@pytest.mark.parametrize("model_id", [PREFILL_MODEL, REFUSING_MODEL])
def test_the_report_of_a_turn(
    serve: Serve, entrance: Entrance, make: type, model_id: str
) -> None:
    inner = make(serve(echoing(LONG)), model=model_id, max_tokens=12)
    message = entrance(ChatBedrockContinuing(llm=inner), "word " * 2_000)
    report = ContinuationReport.from_message(message, one_request_max_tokens=64_000)
    turn = continuation(message)
    assert report.model == model_id
    assert report.segments == turn["segments"]
    assert (report.billed, report.response) == (turn["billed"], turn["response"])
    assert report.cost is not None
    assert report.quota is not None
    assert report.cost.uncut < report.cost.billed
    assert report.quota.concurrency > 20
    assert (report.echo_tokens > 0) == (model_id == REFUSING_MODEL)
    assert model_id in str(report)
