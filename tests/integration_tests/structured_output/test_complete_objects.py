"""An object larger than a segment is complete and valid, by every method."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import BaseModel

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    FaultAt,
    Request,
    Script,
)
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import ending
from tests.support.models import NOVA, PREFILL_MODEL, model, plain_model
from tests.support.structured_output import (
    CASES,
    CHAIN_ENTRANCES,
    FAMILIES,
    METHODS,
    STREAMED,
    UNSUPPORTED,
    Case,
    answers,
    made,
    plain,
)


@pytest.mark.parametrize("case", CASES, ids=" - ".join)
def test_an_object_larger_than_a_segment_is_complete(serve: Serve, case: Case) -> None:
    bedrock = serve(answers(case.kind))
    assert case.is_complete(case.chain(model, bedrock).invoke("Go."))
    assert len(bedrock.requests) > 2
    given = case.chain(model, bedrock, include_raw=True).invoke("Go.")
    assert case.is_complete(given["parsed"])
    assert given["parsing_error"] is None
    assert ending(given["raw"]) == ("model", True)


@pytest.mark.parametrize("entrance_", list(CHAIN_ENTRANCES)[1:])
@pytest.mark.parametrize("case", STREAMED, ids=" - ".join)
def test_it_is_complete_by_every_entrance(
    serve: Serve, case: Case, entrance_: str
) -> None:
    bedrock = serve(answers(case.kind))
    chain = case.chain(model, bedrock)
    assert case.is_complete(CHAIN_ENTRANCES[entrance_](chain, "Go."))
    assert len(bedrock.requests) > 2


@pytest.mark.parametrize("size", [1, 3, 17, 63, 200, 1000])
@pytest.mark.parametrize("method", METHODS)
def test_it_is_complete_at_any_segment_size(
    serve: Serve, method: str, size: int
) -> None:
    case = Case("40 fields", "Claude with prefill", method, "pydantic")
    bedrock = serve(answers(case.kind))
    settings = {"max_tokens": size, "max_continuations": 1000}
    for name in ("stream", "ainvoke"):
        chain = case.chain(model, bedrock, **settings)
        assert case.is_complete(CHAIN_ENTRANCES[name](chain, "Go."))


@pytest.mark.parametrize("case", CASES, ids=" - ".join)
def test_chat_bedrock_converse_returns_no_complete_object(
    serve: Serve, case: Case
) -> None:
    # This is why the package exists: if it fails, langchain-aws has fixed it.
    chain = case.chain(plain_model, serve(answers(case.kind)), include_raw=True)
    if (case.family, case.method) == ("Nova", "function_calling"):
        with pytest.raises(ClientError, match="invalid sequence as part of ToolUse"):
            chain.invoke("Go.")
        return
    given = chain.invoke("Go.")
    assert given["raw"].response_metadata["stopReason"] == "max_tokens"
    assert not case.is_complete(given["parsed"])


@pytest.mark.parametrize("unsupported", UNSUPPORTED, ids=" - ".join)
def test_what_chat_bedrock_converse_does_not_support_raises_its_error(
    serve: Serve, unsupported: tuple[str, str, str]
) -> None:
    bedrock = serve(answers("40 fields"))
    kind, text = UNSUPPORTED[unsupported]
    errors = []
    for make in (model, plain_model):
        with pytest.raises(kind, match=text) as raised:
            Case("40 fields", *unsupported).chain(make, bedrock).invoke("Go.")
        errors.append((type(raised.value), str(raised.value)))
    assert errors[0] == errors[1]


# A document that is begun again is never joined to the first one ---------------------


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_truncated_object_is_retried_with_more_tokens(
    serve: Serve, family: str, method: str
) -> None:
    bedrock = serve(answers("400 items"))
    case = Case("400 items", family, method, "pydantic")
    complete = case.chain(model, bedrock).invoke("Go.")
    bodies: list[Any] = [request.body for request in bedrock.requests]
    sizes = [body["inferenceConfig"].pop("maxTokens") for body in bodies]
    assert sizes == sorted(set(sizes))
    assert all(body == bodies[0] for body in bodies)
    assert plain(complete) == made("400 items", len(bodies) - 1)


def test_a_stream_shows_nothing_of_a_document_that_is_retried(serve: Serve) -> None:
    case = Case("40 fields", "Nova", "json_schema", "JSON schema")
    bedrock = serve(answers(case.kind))
    bound: Any = case.chain(model, bedrock, include_raw=True).first
    text = "".join(chunk["raw"].text for chunk in bound.stream("Go."))
    assert json.loads(text) == made(case.kind, len(bedrock.requests) - 1)


def test_a_complete_document_is_one_chunk_of_a_stream(serve: Serve) -> None:
    """LangChain's parsers read all text again with every chunk."""
    case = Case("40 fields", "Nova", "json_schema", "pydantic")
    bedrock = serve(answers(case.kind))
    chain = case.chain(model, bedrock)
    chunks = [chunk for chunk in chain.steps[0].stream("Hi") if chunk.text]
    assert len(chunks) == 1
    assert json.loads(chunks[0].text)


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("family", ["Claude with prefill", "Claude without prefill"])
@pytest.mark.parametrize("at", [1, 20, 200])
def test_a_document_whose_stream_broke_is_begun_again(
    serve: Serve, family: str, at: int
) -> None:
    """What arrived of it is no beginning of the next document."""
    said, breaks = answers("40 fields"), [FaultAt(Fault("close"), at=at)]

    def breaking(request: Request) -> Answer:
        faults, breaks[:] = list(breaks), []
        return Answer([str(said(request))], faults=faults)

    bedrock = serve(Script(breaking))
    case = Case("40 fields", family, "json_schema", "JSON schema")
    parsed = list(case.chain(model, bedrock, max_tokens=4000).stream("Hi"))[-1]
    assert case.is_complete(parsed)
    assert len(bedrock.requests) == 2
    first, second = (request.body["messages"] for request in bedrock.requests)
    assert first == second


# A small object ----------------------------------------------------------------------


class City(BaseModel):
    """A city."""

    name: str
    people: int


OSLO = City(name="Oslo", people=700_000)


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_an_object_that_is_not_truncated_is_that_of_chat_bedrock_converse(
    serve: Serve, method: Any
) -> None:
    by_method = {
        "function_calling": Answer([CallTool("City", OSLO.model_dump())]),
        "json_schema": Answer(json.dumps(OSLO.model_dump())),
    }
    bedrock = serve(by_method[method])
    settings = {"model": PREFILL_MODEL, "max_tokens": 500}
    for llm in (model(bedrock, **settings), plain_model(bedrock, **settings)):
        chain = llm.with_structured_output(City, method=method)
        assert chain.invoke("Which?") == OSLO
    ours, theirs = bedrock.requests
    assert ours.body == theirs.body


def test_an_object_by_prefill_is_continued(serve: Serve) -> None:
    said = '```json\n{\n  "name": "Oslo",\n  "people": 700000\n}\n```'
    bedrock = serve(said)
    llm = model(bedrock, model=NOVA, max_tokens=5)
    chain = llm.with_structured_output(City, method="prompt_prefill")
    assert chain.invoke("Which?") == OSLO
    assert len(bedrock.requests) > 2


def test_an_object_by_tool_call_is_retried(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(Answer([CallTool("City", OSLO.model_dump())]))
    chain: Any = model(bedrock, max_tokens=4).with_structured_output(City)
    expected: Any = OSLO
    assert every_entrance(chain, "Which?") == expected


def test_a_truncated_tool_call_is_no_object(serve: Serve) -> None:
    bedrock = serve(Answer([CallTool("City", OSLO.model_dump())]))
    llm = model(bedrock, max_tokens=4, max_tokens_ceiling=4)
    chain: Any = llm.with_structured_output(City, include_raw=True)
    given = chain.invoke("Which?")
    assert given["parsed"] is None
    assert len(given["raw"].invalid_tool_calls) == 1


@pytest.mark.parametrize("ceiling", [None, 5])
def test_a_document_that_a_schema_constrains_is_retried_and_not_continued(
    serve: Serve, ceiling: int | None
) -> None:
    bedrock = serve(json.dumps(OSLO.model_dump()))
    llm = model(bedrock, model=PREFILL_MODEL, max_tokens=5, max_tokens_ceiling=ceiling)
    chain: Any = llm.with_structured_output(
        City, method="json_schema", include_raw=True
    )
    given = chain.invoke("Which?")
    # Each request is the first one with more tokens; at the ceiling there is no other.
    assert {len(one.body["messages"]) for one in bedrock.requests} == {1}
    if ceiling is None:
        assert given["parsed"] == OSLO
        assert ending(given["raw"]) == ("model", True)
        return
    assert given["parsed"] is None
    assert len(bedrock.requests) == 1
    assert ending(given["raw"]) == ("no_progress", False)
