"""An object that did not fit is an error that names the limit: never None, or smaller.

It is raised, or it is the `parsing_error` of `include_raw`, by every method, form of
schema and entrance.
"""

import json
from itertools import product
from typing import Any, NamedTuple

import pytest
from langchain_core.exceptions import OutputParserException
from pydantic import BaseModel

from langchain_bedrock_continue.local import Answer, CallTool, Script
from tests.support.endpoint import Serve
from tests.support.messages import ending
from tests.support.models import (
    NOVA,
    PREFILL_MODEL,
    THINKING,
    continuing_chat_bedrock,
    model,
    plain_model,
)
from tests.support.structured_output import (
    CHAIN_ENTRANCES,
    FORMS,
    METHODS,
    UNSUPPORTED,
    Ask,
    Case,
    answers,
    by_aparts,
    by_parts,
)

RAW_ENTRANCES: dict[str, Ask] = {
    "invoke": CHAIN_ENTRANCES["invoke"],
    "stream": by_parts,
    "ainvoke": CHAIN_ENTRANCES["ainvoke"],
    "astream": by_aparts,
    "batch": lambda chain, asked: chain.batch([asked, asked])[1],
}


def errors_of(make_chain: Any) -> list[OutputParserException]:
    """Ask by every entrance, with include_raw and without; return all errors.

    Args:
        make_chain: Makes the chain; takes `include_raw`.
    """
    errors: list[Any] = []
    for ask in CHAIN_ENTRANCES.values():
        with pytest.raises(OutputParserException) as raised:
            ask(make_chain(include_raw=False), "Go.")
        errors.append(raised.value)
    for ask in RAW_ENTRANCES.values():
        given = ask(make_chain(include_raw=True), "Go.")
        assert given["parsed"] is None
        assert given["raw"].response_metadata["continuation"]
        errors.append(given["parsing_error"])
    assert [type(error) for error in errors] == [OutputParserException] * 9
    return errors


# A limit ended the turn ---------------------------------------------------------------


class Limit(NamedTuple):
    """A limit that a setting makes, and the words of the error about it."""

    settings: dict[str, Any]
    ended_by: str
    words: str


CEILING = {"max_tokens_ceiling": 64}
TOTAL = Limit({"max_total_tokens": 100}, "max_total_tokens", "Raise max_total_tokens.")
CALLS = Limit({"max_continuations": 0}, "max_continuations", "Raise max_continuations")
LIMITS = {
    ("function_calling", "ceiling"): Limit(CEILING, "tool_call", "max_tokens_ceiling"),
    ("function_calling", "no retry"): Limit(
        {"tool_call_recovery": "return"}, "tool_call", "where tool_call_recovery"
    ),
    ("function_calling", "calls"): CALLS,
    ("function_calling", "total"): TOTAL,
    ("json_schema", "ceiling"): Limit(CEILING, "no_progress", "max_tokens_ceiling"),
    ("json_schema", "calls"): CALLS,
    ("json_schema", "total"): TOTAL,
    ("prompt_prefill", "calls"): CALLS,
    ("prompt_prefill", "total"): TOTAL,
}


def family_of(method: str) -> str:
    """Return a family that returns what is truncated: Nova fails in a tool call."""
    return "Claude with prefill" if method == "function_calling" else "Nova"


LIMITED = [
    (*limit, form)
    for limit, form in product(LIMITS, FORMS)
    if (family_of(limit[0]), limit[0], form) not in UNSUPPORTED
]


@pytest.mark.parametrize(("method", "limit", "form"), LIMITED)
def test_the_error_names_the_limit_that_ended_it(
    serve: Serve, method: str, limit: str, form: str
) -> None:
    case = Case("40 fields", family_of(method), method, form)
    settings, ended_by, words = LIMITS[method, limit]
    bedrock = serve(answers(case.kind))
    given = case.chain(model, bedrock, include_raw=True, **settings).invoke("Go.")
    assert ending(given["raw"]) == (ended_by, False)
    for error in errors_of(lambda **raw: case.chain(model, bedrock, **raw, **settings)):
        assert f"{ended_by} ended it" in str(error)
        assert words in str(error)


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
    given = by_parts(case.chain(plain_model, bedrock, include_raw=True), "Go.")
    if form == "JSON schema":  # what ChatBedrockConverse makes of it
        assert 0 < len(given["parsed"]["items"]) < 400


# Something else ended the answer ------------------------------------------------------


class Note(BaseModel):
    """A note."""

    text: str
    lines: list[str] = []


NOTE = Note(text="Tides", lines=[f"line {number}" for number in range(40)])
FENCED = Note(text="```python\nprint()\n```", lines=["one"])


def note_chain(llm: Any, method: str, form: str) -> Any:
    """Return what makes a chain for a note."""
    schema = Note if form == "pydantic" else Note.model_json_schema()

    def make(*, include_raw: bool) -> Any:
        return llm.with_structured_output(
            schema, method=method, include_raw=include_raw
        )

    return make


@pytest.mark.parametrize("form", FORMS[::2])
@pytest.mark.parametrize("max_tokens", [3, 7, 500])
def test_a_fence_in_the_document_that_ends_a_prefilled_answer_is_an_error(
    serve: Serve, form: str, max_tokens: int
) -> None:
    """`prompt_prefill` asks Bedrock to stop at a fence, wherever it is."""
    bedrock = serve(f"```json\n{FENCED.model_dump_json()}\n```")
    llm = model(bedrock, model=NOVA, max_tokens=max_tokens)
    errors = errors_of(note_chain(llm, "prompt_prefill", form))
    assert all("stop_sequence" in str(error) for error in errors)


@pytest.mark.parametrize("form", FORMS[::2])
@pytest.mark.parametrize("reason", ["stop_sequence", "content_filtered", "new_reason"])
def test_half_a_document_is_an_error_whatever_ended_it(
    serve: Serve, reason: str, form: str
) -> None:
    half = NOTE.model_dump_json()[:200]
    bedrock = serve(Answer(half, stop_reason=reason))
    llm = model(bedrock, model=NOVA, max_tokens=500)
    errors = errors_of(note_chain(llm, "json_schema", form))
    assert all(reason in str(error) for error in errors)


@pytest.mark.parametrize("form", FORMS[::2])
def test_a_stop_sequence_before_the_call_is_an_error(serve: Serve, form: str) -> None:
    bedrock = serve(Answer(["I write it: STOP ", CallTool("Note", NOTE.model_dump())]))
    llm = model(bedrock, max_tokens=500, stop_sequences=["STOP"])
    errors = errors_of(note_chain(llm, "function_calling", form))
    assert all("stop_sequence" in str(error) for error in errors)


@pytest.mark.filterwarnings("ignore:ChatBedrockConverse structured output relies on")
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            lambda bedrock, **settings: model(
                bedrock, model=PREFILL_MODEL, **THINKING, **settings
            ),
            id="ChatBedrockConverse",
        ),
        pytest.param(
            lambda bedrock, **settings: continuing_chat_bedrock(
                bedrock,
                model=PREFILL_MODEL,
                model_kwargs=THINKING["additional_model_request_fields"],
                **settings,
            ),
            id="ChatBedrock",
        ),
    ],
)
def test_while_a_model_thinks_the_error_names_the_limit_too(
    serve: Serve, make: Any
) -> None:
    """Its call can't be forced, so langchain-aws checks for one before it parses."""
    bedrock = serve(Answer([CallTool("Note", NOTE.model_dump())]))
    llm = make(bedrock, max_tokens=20).model_copy(update={"max_tokens_ceiling": 40})
    for error in errors_of(lambda **raw: llm.with_structured_output(Note, **raw)):
        assert "tool_call ended it" in str(error)
        assert "max_tokens_ceiling" in str(error)


# A whole object is no error -----------------------------------------------------------


@pytest.mark.parametrize("form", FORMS[::2])
def test_a_document_that_is_whole_where_a_limit_ends_the_answer_is_an_object(
    serve: Serve, form: str
) -> None:
    """Only the remark after it was truncated."""
    said = f"```json\n{NOTE.model_dump_json()}\n{'and so on ' * 100}"
    bedrock = serve(Answer(said))
    size = {"model": NOVA, "max_tokens": 230}
    settings: dict[str, Any] = {**size, "max_continuations": 0}
    expected = NOTE if form == "pydantic" else NOTE.model_dump()
    for llm in (plain_model(bedrock, **size), model(bedrock, **settings)):
        chain = note_chain(llm, "prompt_prefill", form)(include_raw=True)
        for ask in RAW_ENTRANCES.values():
            given = ask(chain, "Go.")
            assert given["raw"].response_metadata["stopReason"] == "max_tokens"
            assert (given["parsed"], given["parsing_error"]) == (expected, None)


@pytest.mark.parametrize("form", FORMS[::2])
def test_a_model_that_ends_its_answer_without_a_call_gives_none(
    serve: Serve, form: str
) -> None:
    """Nothing was cut: the chain returns what it does for ChatBedrockConverse."""
    bedrock = serve("I would rather not.")
    for llm in (plain_model(bedrock, max_tokens=500), model(bedrock, max_tokens=500)):
        make = note_chain(llm, "function_calling", form)
        assert make(include_raw=False).invoke("Go.") is None
        given = by_parts(make(include_raw=True), "Go.")
        assert given.get("parsed") is None
        assert given["parsing_error"] is None


def test_a_stream_shows_partial_documents_before_its_end(serve: Serve) -> None:
    bedrock = serve(Script(f"```json\n{json.dumps(NOTE.model_dump(), indent=1)}\n```"))
    llm = model(bedrock, model=NOVA, max_tokens=60)
    chain = note_chain(llm, "prompt_prefill", "JSON schema")(include_raw=False)
    parsed = list(chain.stream("Go."))
    assert len(parsed) > 10
    assert parsed[-1] == NOTE.model_dump()
