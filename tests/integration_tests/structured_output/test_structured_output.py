"""Objects larger than a segment: whole and valid by every method, or an honest end."""

import asyncio
import json
from collections.abc import Callable
from itertools import product
from typing import Any, TypeAlias

import pytest
from botocore.exceptions import ClientError
from langchain_core.exceptions import OutputParserException
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from langchain_bedrock_continue import chat_models
from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    FaultAt,
    LocalBedrock,
    Request,
    Script,
)
from tests.integration_tests.conftest import Serve, model, plain_model
from tests.support.structured import (
    FAMILIES,
    FORMS,
    METHODS,
    OBJECTS,
    SCHEMAS,
    answers,
    made,
)

# What is asked ---------------------------------------------------------------------

Cell: TypeAlias = tuple[str, str, str, str]

UNSUPPORTED: dict[tuple[str, str, str], tuple[type[Exception], str]] = {
    # family, method, form: what ChatBedrockConverse says of it
    **{
        (family, method, "TypedDict"): (ValueError, "Unsupported schema type")
        for family, method in product(FAMILIES, ("json_schema", "prompt_prefill"))
    },
    **{
        ("Claude without prefill", "prompt_prefill", form): (
            ClientError,
            "does not support assistant message prefill",
        )
        for form in ("pydantic", "JSON schema")
    },
}
CELLS: list[Cell] = [
    cell
    for cell in product(OBJECTS, FAMILIES, METHODS, FORMS)
    if cell[1:] not in UNSUPPORTED
]
PYDANTIC = [cell for cell in CELLS if cell[3] == "pydantic"]
# LangChain parses all that came with every chunk: 400 items as text take it 10 s.
STREAMED = [cell for cell in PYDANTIC if cell[0] == "40 fields" or "call" in cell[2]]


def size_of(cell: Cell) -> int:
    """A segment: far smaller than the object; there are up to 30 by a prefill."""
    return 256 if cell[::2] == ("400 items", "prompt_prefill") else 64


def chain_of(make: Any, bedrock: LocalBedrock, cell: Cell, **kwargs: Any) -> Any:
    kind, family, method, form = cell
    raw = {"include_raw": True} if kwargs.pop("include_raw", False) else {}
    settings = {"model": FAMILIES[family], "max_tokens": size_of(cell), **kwargs}
    llm = make(bedrock, **settings)
    return llm.with_structured_output(SCHEMAS[kind, form], method=method, **raw)


def plain(parsed: Any) -> Any:
    return parsed.model_dump() if isinstance(parsed, BaseModel) else parsed


def is_valid(cell: Cell, parsed: Any) -> bool:
    """Tell whether it is one of the whole objects that the model began."""
    samples = [made(cell[0], sample) for sample in range(20)]
    right_type = cell[3] != "pydantic" or isinstance(parsed, SCHEMAS[cell[::3]])
    return right_type and plain(parsed) in samples


def last(chunks: list[Any]) -> Any:
    return chunks[-1]


def by_astream(chain: Runnable[Any, Any], asked: str) -> Any:
    async def collected() -> list[Any]:
        return [chunk async for chunk in chain.astream(asked)]

    return last(asyncio.run(collected()))


WAYS: dict[str, Callable[[Runnable[Any, Any], str], Any]] = {
    "invoke": lambda chain, asked: chain.invoke(asked),
    "stream": lambda chain, asked: last(list(chain.stream(asked))),
    "ainvoke": lambda chain, asked: asyncio.run(chain.ainvoke(asked)),
    "astream": by_astream,
}

# Whole -----------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS, ids=" - ".join)
def test_an_object_larger_than_a_segment_comes_whole(serve: Serve, cell: Cell) -> None:
    bedrock = serve(answers(cell[0]))
    assert is_valid(cell, chain_of(model, bedrock, cell).invoke("Go."))
    assert len(bedrock.requests) > 2
    given = chain_of(model, bedrock, cell, include_raw=True).invoke("Go.")
    assert is_valid(cell, given["parsed"])
    assert given["parsing_error"] is None
    summary = given["raw"].response_metadata["continuation"]
    assert (summary["ended_by"], summary["complete"]) == ("model", True)


@pytest.mark.parametrize("way", list(WAYS)[1:])
@pytest.mark.parametrize("cell", STREAMED, ids=" - ".join)
def test_it_does_so_by_every_entrance(serve: Serve, cell: Cell, way: str) -> None:
    bedrock = serve(answers(cell[0]))
    assert is_valid(cell, WAYS[way](chain_of(model, bedrock, cell), "Go."))
    assert len(bedrock.requests) > 2


@pytest.mark.parametrize("size", [1, 3, 17, 63, 200, 1000])
@pytest.mark.parametrize("method", METHODS)
def test_it_does_so_at_any_size(serve: Serve, method: str, size: int) -> None:
    cell = ("40 fields", "Claude with prefill", method, "pydantic")
    bedrock = serve(answers(cell[0]))
    settings = {"max_tokens": size, "max_continuations": 1000}
    for way in ("stream", "ainvoke"):
        chain = chain_of(model, bedrock, cell, **settings)
        assert is_valid(cell, WAYS[way](chain, "Go."))


@pytest.mark.parametrize("cell", CELLS, ids=" - ".join)
def test_chat_bedrock_converse_gives_no_whole_object(serve: Serve, cell: Cell) -> None:
    # What this is for: if this fails, langchain-aws has mended it.
    bedrock = serve(answers(cell[0]))
    given = chain_of(plain_model, bedrock, cell, include_raw=True).invoke("Go.")
    assert given["raw"].response_metadata["stopReason"] == "max_tokens"
    assert not is_valid(cell, given["parsed"])


# What ChatBedrockConverse can't do, ours can't either --------------------------------


@pytest.mark.parametrize("cell", UNSUPPORTED, ids=" - ".join)
def test_what_is_not_supported_gives_the_same_error(
    serve: Serve, cell: tuple[str, str, str]
) -> None:
    bedrock = serve(answers("40 fields"))
    kind, text = UNSUPPORTED[cell]
    errors = []
    for make in (model, plain_model):
        with pytest.raises(kind, match=text) as raised:
            chain_of(make, bedrock, ("40 fields", *cell)).invoke("Go.")
        errors.append((type(raised.value), str(raised.value)))
    assert errors[0] == errors[1]


# A new document is never joined to another -------------------------------------------


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_begins_anew_is_asked_for_anew(
    serve: Serve, family: str, method: str
) -> None:
    bedrock = serve(answers("400 items"))
    cell = ("400 items", family, method, "pydantic")
    whole = chain_of(model, bedrock, cell).invoke("Go.")
    bodies: list[Any] = [request.body for request in bedrock.requests]
    sizes = [body["inferenceConfig"].pop("maxTokens") for body in bodies]
    assert sizes == sorted(set(sizes))
    assert all(body == bodies[0] for body in bodies)
    assert plain(whole) == made("400 items", len(bodies) - 1)


def test_a_stream_shows_nothing_of_a_document_that_gives_way(serve: Serve) -> None:
    cell = ("40 fields", "Nova", "json_schema", "JSON schema")
    bedrock = serve(answers(cell[0]))
    bound: Any = chain_of(model, bedrock, cell, include_raw=True).first
    text = "".join(chunk["raw"].text for chunk in bound.stream("Go."))
    assert json.loads(text) == made(cell[0], len(bedrock.requests) - 1)


# At the ceiling ----------------------------------------------------------------------

ENDS = {
    "function_calling": "tool_call",
    "json_schema": "no_progress",
    "prompt_prefill": "max_continuations",
}


def by_parts(chain: Runnable[Any, Any], asked: str) -> Any:
    """Put a stream of include_raw together: messages add up, objects follow."""
    given: dict[str, Any] = {}
    for part in chain.stream(asked):
        for key, value in part.items():
            adds = key == "raw" and key in given
            given[key] = given[key] + value if adds else value
    return given


@pytest.mark.parametrize("way", [WAYS["ainvoke"], by_parts])
@pytest.mark.parametrize("cell", STREAMED, ids=" - ".join)
def test_at_the_ceiling_the_end_is_honest(serve: Serve, cell: Cell, way: Any) -> None:
    bedrock = serve(answers(cell[0]))
    settings = {"max_tokens_ceiling": 300, "max_continuations": 2}
    given = way(chain_of(model, bedrock, cell, include_raw=True, **settings), "Go.")
    summary = given["raw"].response_metadata["continuation"]
    assert (summary["ended_by"], summary["complete"]) == (ENDS[cell[2]], False)
    assert given.get("parsed") is None


@pytest.mark.parametrize("form", FORMS[::2])
@pytest.mark.parametrize("method", METHODS[1:])
def test_a_document_that_was_cut_is_no_object(
    serve: Serve, method: str, form: str
) -> None:
    # LangChain's parsers take partial JSON: a list of 5 items for one of 400.
    cell = ("400 items", "Nova", method, form)
    bedrock = serve(answers(cell[0]))
    for size in range(60, 76, 3):
        settings = {"max_tokens": size, "max_tokens_ceiling": size}
        chain = chain_of(model, bedrock, cell, max_continuations=1, **settings)
        for way in WAYS.values():
            with pytest.raises(OutputParserException, match="is not whole"):
                way(chain, "Go.")


def test_a_stream_of_parts_ends_in_no_object(serve: Serve) -> None:
    cell = ("400 items", "Nova", "json_schema", "JSON schema")
    bedrock = serve(answers(cell[0]))
    limits = {"max_tokens_ceiling": 64, "include_raw": True}
    given = by_parts(chain_of(model, bedrock, cell, **limits), "Go.")
    assert given["parsed"] is None
    # ChatBedrockConverse gives out what came of it.
    given = by_parts(chain_of(plain_model, bedrock, cell, include_raw=True), "Go.")
    assert 0 < len(given["parsed"]["items"]) < 400


def test_a_call_that_was_cut_is_no_object_either(serve: Serve) -> None:
    # As where ChatBedrockConverse gets no call at all.
    cell = ("400 items", "Nova", "function_calling", "pydantic")
    bedrock = serve(answers(cell[0]))
    chain = chain_of(model, bedrock, cell, max_tokens_ceiling=64)
    assert chain.invoke("Go.") is None
    assert list(chain.stream("Go.")) in ([], [None])


def test_a_document_that_was_held_comes_as_one_chunk(serve: Serve) -> None:
    """LangChain's parsers read all of it anew with every chunk."""
    bedrock = serve(answers("40 fields"))
    chain = chain_of(model, bedrock, ("40 fields", "Nova", "json_schema", "pydantic"))
    chunks = [chunk for chunk in chain.steps[0].stream("Hi") if chunk.text]
    assert len(chunks) == 1
    assert json.loads(chunks[0].text)


@pytest.mark.parametrize("family", ["Claude with prefill", "Claude without prefill"])
@pytest.mark.parametrize("at", [1, 20, 200])
def test_a_document_that_broke_is_begun_anew(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, family: str, at: int
) -> None:
    """Its stream died: what came of it is no beginning of the next document."""
    monkeypatch.setattr(chat_models, "waiting_time", lambda _most: 0.0)
    said, breaks = answers("40 fields"), [FaultAt(Fault("close"), at=at)]

    def breaking(request: Request) -> Answer:
        faults, breaks[:] = list(breaks), []
        return Answer([str(said(request))], faults=faults)

    bedrock = serve(Script(breaking))
    cell = ("40 fields", family, "json_schema", "JSON schema")
    parsed = list(chain_of(model, bedrock, cell, max_tokens=4000).stream("Hi"))[-1]
    assert is_valid(cell, parsed)
    assert len(bedrock.requests) == 2
    first, second = (request.body["messages"] for request in bedrock.requests)
    assert first == second
