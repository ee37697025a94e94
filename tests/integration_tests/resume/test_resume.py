"""A partial message of any origin is resumed, and becomes the complete one."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableLambda

from langchain_bedrock_continue import (
    ContinuationError,
    SegmentError,
    TurnLimitError,
)
from langchain_bedrock_continue.local import Answer, CallTool, Think
from tests.support.answers import tools
from tests.support.callbacks import Recorder
from tests.support.endpoint import Serve
from tests.support.entrances import ENTRANCES, by_invoke, by_stream
from tests.support.messages import content_shape, continuation
from tests.support.models import (
    MODEL,
    PREFILL_MODEL,
    REFUSING_MODEL,
    THINKING,
    chat_bedrock,
    continuing_chat_bedrock,
    model,
    plain_model,
)
from tests.support.resume import FORMS, RESUMES, Resume, through_json
from tests.support.scripts import continuing, continuing_but_failing, tokens_of

TEXT = 'Do:\n\n```py\nx = {\n    "日": 1,\n    "本": 2,\n}\n```\n\nha ha! Done, all. '
TALK = Answer(TEXT)
MODELS = pytest.mark.parametrize(
    "name", [MODEL, REFUSING_MODEL], ids=["prefill", "user turn"]
)
SIZE = 14

ENDS: dict[str, dict[str, Any]] = {
    "max_continuations": {"max_continuations": 1},
    "max_total_tokens": {"max_total_tokens": SIZE + 9},
    "max_seconds": {"max_seconds": 1e-9},
    "error": {},
}
"""What ends a turn before it is complete, and the settings that lead to it."""


def partial_of(llm: Any, entrance: str = "invoke") -> AIMessage:
    """Return the message of a turn that does not complete, by a limit or an error."""
    try:
        return ENTRANCES[entrance](llm, "Hi")
    except ContinuationError as error:
        return error.partial


@MODELS
@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("ended_by", list(ENDS))
def test_a_partial_message_of_each_ending_is_resumed_in_each_form(
    serve: Serve, resume: Resume, ended_by: str, form: str, name: str
) -> None:
    bedrock = serve(continuing_but_failing(TALK, 2 if ended_by == "error" else 0))
    sizes = {"model": name, "max_tokens": SIZE}
    # Within a call that does not stream, a deadline leaves only earlier segments.
    entrance = "invoke" if ended_by == "max_seconds" else "stream"
    partial = partial_of(model(bedrock, **sizes, **ENDS[ended_by]), entrance)
    assert continuation(partial)["ended_by"] == ended_by
    before = partial.model_dump(exclude={"id"})  # a checkpointer sets one
    complete = resume(model(bedrock, **sizes), "Hi", FORMS[form](partial))
    assert partial.model_dump(exclude={"id"}) == before
    assert complete.text == TEXT
    assert continuation(complete)["complete"]


@MODELS
def test_a_turn_in_steps_has_the_metadata_of_a_turn_in_one(
    serve: Serve, every_resume: Resume, name: str
) -> None:
    bedrock = serve(continuing(TALK))
    sizes = {"model": name, "max_tokens": SIZE}
    step = model(bedrock, **sizes, max_continuations=0)
    message = partial_of(step)
    while not continuation(message)["complete"]:
        message = every_resume(step, "Hi", message)
    asked = len(bedrock.requests)
    ours, theirs = (
        continuation(message),
        continuation(partial_of(model(bedrock, **sizes))),
    )
    assert asked == len(ours["segments"]) == len(theirs["segments"]) > 2
    assert ours["seams"] == theirs["seams"]
    assert ours["strategy"] == theirs["strategy"]
    assert ours["response"] == theirs["response"]
    for kind in ("input_tokens", "output_tokens"):
        assert ours["billed"][kind] == sum(e[kind] for e in ours["segments"])
    assert message.usage_metadata == ours["response"]


@MODELS
@pytest.mark.parametrize("make", [plain_model, chat_bedrock])
@pytest.mark.parametrize("had", ["invoke", "stream"])
def test_the_wrapped_models_own_truncated_message_is_resumed(
    serve: Serve, make: Any, had: str, name: str
) -> None:
    """Wherever it is truncated: it may end where a prefill may not."""
    bedrock = serve(continuing(TALK))
    continuing_model = {plain_model: model, chat_bedrock: continuing_chat_bedrock}[make]
    for at in range(1, tokens_of(TALK)):
        partial = ENTRANCES[had](make(bedrock, model=name, max_tokens=at), "Hi")
        llm = continuing_model(bedrock, model=name, max_tokens=30)
        for resumed in (RESUMES["resume"], RESUMES["resume_stream"]):
            assert resumed(llm, "Hi", partial).text == TEXT


def test_a_complete_message_is_returned_as_it_is(
    serve: Serve, every_resume: Resume
) -> None:
    bedrock = serve(continuing(TALK))
    llm = model(bedrock, max_tokens=SIZE)
    messages = [llm.invoke("Hi"), plain_model(bedrock, max_tokens=90).invoke("Hi")]
    messages += [AIMessage("No stop reason at all."), through_json(messages[0])]
    bedrock.clear()
    for message in messages:
        same = every_resume(llm, "Hi", message).model_dump()
        assert same | OF_A_CHUNK == message.model_dump() | OF_A_CHUNK
    assert bedrock.requests == []
    assert llm.resume("Hi", messages[0]) is messages[0]


OF_A_CHUNK = {"type": "", "chunk_position": "", "tool_call_chunks": []}

SAYS = "I write it, and read it again. "
CALLS = [CallTool("write", {"n": 7}, "t1"), CallTool("read", {"q": '"日'}, "t2")]
AGENTS: dict[str, tuple[str, list[Any], dict[str, Any]]] = {
    "prefill": (PREFILL_MODEL, [SAYS, *CALLS], {}),
    "user turn": (REFUSING_MODEL, [SAYS, *CALLS], {}),
    "thinking": (REFUSING_MODEL, [Think("A file."), SAYS, *CALLS], THINKING),
}


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("agent", list(AGENTS))
def test_a_message_with_tool_calls_is_resumed_wherever_it_is_truncated(
    serve: Serve, resume: Resume, agent: str, version: str
) -> None:
    """Its truncated calls are replaced by complete ones."""
    name, blocks, settings = AGENTS[agent]
    answer = Answer(blocks, fine_grained=True)
    bedrock = serve(continuing(answer))
    settings = {"model": name, "output_version": version, **settings}
    plain = plain_model(bedrock, max_tokens=90, **settings).bind_tools(TOOLS)
    llm = model(bedrock, max_tokens=16, **settings).bind_tools(TOOLS)
    streamed = resume in {RESUMES["resume_stream"], RESUMES["aresume_stream"]}
    expected = content_shape((by_stream if streamed else by_invoke)(plain, "Hi"))
    for at in range(1, tokens_of(answer), 2):
        sizes = {"max_tokens": at, "max_tokens_ceiling": at, "max_continuations": 0}
        partial = partial_of(model(bedrock, **sizes, **settings).bind_tools(TOOLS))
        assert not continuation(partial)["complete"]
        resumed = resume(llm, "Hi", partial)
        assert continuation(resumed)["complete"]
        assert content_shape(resumed) == expected


TOOLS = tools("write", "read")


@pytest.mark.parametrize("method", ["resume_stream", "aresume_stream"])
def test_callbacks_get_every_token_once(
    serve: Serve, recorder: Recorder, method: str
) -> None:
    bedrock = serve(continuing(TALK))
    partial = partial_of(model(bedrock, max_tokens=SIZE, max_continuations=0))
    llm = model(bedrock, max_tokens=SIZE)
    config = {"callbacks": [recorder]}
    message = RESUMES[method](llm, "Hi", partial, config=config)
    assert "".join(recorder.tokens) == message.text == TEXT


def test_callbacks_get_an_event_for_the_resumption(
    serve: Serve, recorder: Recorder
) -> None:
    bedrock = serve(continuing(TALK))
    partial = partial_of(model(bedrock, max_tokens=SIZE, max_continuations=0))
    llm = model(bedrock, max_tokens=SIZE)
    chain: Any = RunnableLambda(lambda asked: llm.resume(asked, partial))
    message = chain.invoke("Hi", {"callbacks": [recorder]})
    assert {name for name, _ in recorder.events} == {"bedrock_continuation"}
    first, *later = [data["type"] for _, data in recorder.events]
    assert first == "resume"
    assert set(later) == {"seam"}
    offsets = [data["offset"] for _, data in recorder.events]
    assert offsets == continuation(message)["seams"]


@MODELS
def test_an_error_while_resuming_has_the_longer_partial_message(
    serve: Serve, every_resume: Resume, name: str
) -> None:
    bedrock = serve(continuing_but_failing(TALK, 2))
    sizes = {"model": name, "max_tokens": SIZE}
    partial = partial_of(model(bedrock, **sizes, max_continuations=0))
    llm = model(bedrock, **sizes)
    with pytest.raises(SegmentError) as raised:
        every_resume(llm, "Hi", partial)
    longer = raised.value.partial
    assert longer.text.startswith(partial.text.rstrip())
    assert TEXT.startswith(longer.text)
    assert len(raised.value.segments) == len(continuation(longer)["segments"]) == 2
    assert every_resume(llm, "Hi", longer).text == TEXT


def test_a_limit_while_resuming_raises_the_longer_partial_message(
    serve: Serve, every_resume: Resume
) -> None:
    bedrock = serve(continuing(TALK))
    step = model(bedrock, max_tokens=6, max_continuations=0, on_limit="raise")
    first = partial_of(step)
    with pytest.raises(TurnLimitError) as raised:
        every_resume(step, "Hi", first)
    assert len(raised.value.segments) == 2
    assert len(raised.value.partial.text) > len(first.text)


@pytest.mark.parametrize("bad", ["text", None, HumanMessage("Hi"), {"content": ""}])
def test_a_partial_that_is_no_message_is_refused(
    serve: Serve, every_resume: Resume, bad: Any
) -> None:
    bedrock = serve(TALK)
    with pytest.raises(ValueError, match=r"^partial: must be an AIMessage"):
        every_resume(model(bedrock), "Hi", bad)
    assert bedrock.requests == []


def test_a_partial_message_that_is_given_twice_is_refused(
    serve: Serve, every_resume: Resume
) -> None:
    llm = model(serve(TALK), max_tokens=5, max_continuations=0)
    partial = partial_of(llm)
    with pytest.raises(ValueError, match=r"^messages: must end before the partial"):
        every_resume(llm, [HumanMessage("Hi"), partial], partial)


PARTIALS = {
    "of another version": {"continuation": {"complete": False}},
    "with odd metadata": {"continuation": "odd", "stopReason": "max_tokens"},
    "of the service alone": {"stopReason": "max_tokens"},
}


@pytest.mark.parametrize("metadata", list(PARTIALS.values()), ids=list(PARTIALS))
@pytest.mark.parametrize("text", ["", " \n", TEXT[:11], TEXT[:9] + "\n\n"])
def test_a_partial_message_is_resumed_by_little_metadata(
    serve: Serve, resume: Resume, metadata: dict[str, Any], text: str
) -> None:
    bedrock = serve(continuing(TALK))
    partial = AIMessage(text, response_metadata=metadata)
    assert resume(model(bedrock, max_tokens=SIZE), "Hi", partial).text == TEXT


STORED = {
    "no metadata": AIMessage("One and", id="a"),
    "no stop reason": AIMessage(
        "One and", id="a", response_metadata={"model_provider": "bedrock_converse"}
    ),
}


@pytest.mark.parametrize("name", STORED)
def test_a_message_that_does_not_say_how_it_ended_is_reported(
    serve: Serve, every_resume: Resume, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    bedrock = serve(TALK)
    message = every_resume(model(bedrock), "Hi", STORED[name])
    assert message.content == STORED[name].content
    assert bedrock.requests == []
    warned = [r for r in caplog.records if r.name == "langchain_bedrock_continue"]
    assert [record.levelname for record in warned] == ["WARNING"]
    assert "nothing to resume" in caplog.text
    assert "One and" not in caplog.text


def test_a_complete_message_is_returned_without_a_word(
    serve: Serve, every_resume: Resume, caplog: pytest.LogCaptureFixture
) -> None:
    bedrock = serve(TALK)
    complete = AIMessage("One.", response_metadata={"stopReason": "end_turn"})
    assert every_resume(model(bedrock), "Hi", complete).content == "One."
    assert not caplog.records


def test_a_partial_message_before_a_system_message_is_not_also_sent(
    serve: Serve, resume: Resume
) -> None:
    partial = AIMessage("One", response_metadata={"stopReason": "max_tokens"})
    asked = [HumanMessage("Hi"), partial, SystemMessage("Be brief.")]
    with pytest.raises(ValueError, match="leave out the last message"):
        resume(model(serve(TALK)), asked, partial)
