"""An object that the ceiling truncates is no object, and its message says so."""

from typing import Any

import pytest
from langchain_core.exceptions import OutputParserException

from tests.support.endpoint import Serve
from tests.support.messages import ending
from tests.support.models import model, plain_model
from tests.support.structured_output import (
    CHAIN_ENTRANCES,
    FORMS,
    METHODS,
    STREAMED,
    Ask,
    Case,
    answers,
    by_parts,
)

ENDS = {
    "function_calling": "tool_call",
    "json_schema": "no_progress",
    "prompt_prefill": "max_continuations",
}
"""By method: what ends the turn."""


@pytest.mark.parametrize("ask", [CHAIN_ENTRANCES["ainvoke"], by_parts])
@pytest.mark.parametrize("case", STREAMED, ids=" - ".join)
def test_at_the_ceiling_there_is_no_object_and_the_end_is_named(
    serve: Serve, case: Case, ask: Ask
) -> None:
    bedrock = serve(answers(case.kind))
    settings = {"max_tokens_ceiling": 300, "max_continuations": 2}
    given = ask(case.chain(model, bedrock, include_raw=True, **settings), "Go.")
    assert ending(given["raw"]) == (ENDS[case.method], False)
    assert given.get("parsed") is None


@pytest.mark.parametrize("form", FORMS[::2])
@pytest.mark.parametrize("method", METHODS[1:])
def test_a_truncated_document_is_no_object(
    serve: Serve, method: str, form: str
) -> None:
    # LangChain's parsers accept partial JSON: a list of 5 items instead of 400.
    case = Case("400 items", "Nova", method, form)
    bedrock = serve(answers(case.kind))
    for size in range(60, 76, 3):
        settings = {"max_tokens": size, "max_tokens_ceiling": size}
        chain = case.chain(model, bedrock, max_continuations=1, **settings)
        for ask in CHAIN_ENTRANCES.values():
            with pytest.raises(OutputParserException, match="is incomplete"):
                ask(chain, "Go.")


def test_a_stream_of_a_truncated_document_ends_without_an_object(serve: Serve) -> None:
    case = Case("400 items", "Nova", "json_schema", "JSON schema")
    bedrock = serve(answers(case.kind))
    limits: dict[str, Any] = {"max_tokens_ceiling": 64, "include_raw": True}
    given = by_parts(case.chain(model, bedrock, **limits), "Go.")
    assert given["parsed"] is None
    # ChatBedrockConverse returns what the parser made of it.
    given = by_parts(case.chain(plain_model, bedrock, include_raw=True), "Go.")
    assert 0 < len(given["parsed"]["items"]) < 400


def test_a_truncated_tool_call_is_no_object(serve: Serve) -> None:
    # The same as where ChatBedrockConverse gets no call at all.
    case = Case("400 items", "Nova", "function_calling", "pydantic")
    bedrock = serve(answers(case.kind))
    chain = case.chain(model, bedrock, max_tokens_ceiling=64)
    assert chain.invoke("Go.") is None
    assert list(chain.stream("Go.")) in ([], [None])
