"""A partial message is taken up, wherever it comes from, and becomes the whole one."""

from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda

from langchain_bedrock_continue import (
    ContinuationError,
    SegmentError,
    TurnLimitError,
)
from langchain_bedrock_continue.local import Answer, CallTool, Think
from tests.integration_tests.conftest import (
    MODEL,
    REFUSING_MODEL,
    Serve,
    model,
    plain_model,
)
from tests.integration_tests.tools.test_every_truncation import shape
from tests.integration_tests.wrapped.test_chat_bedrock import chat_bedrock, wrapped
from tests.support.entrances import ENTRANCES, by_invoke, by_stream
from tests.support.resuming import (
    FORMS,
    RESUMES,
    Resume,
    going_on_but,
    through_json,
)
from tests.support.tool_models import (
    PREFILL_MODEL,
    THINKING,
    going_on,
    tokens_of,
    tools,
)

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
"""What ends a turn before it is whole, and how a model comes to it."""


@pytest.fixture(params=list(RESUMES))
def resume(request: pytest.FixtureRequest) -> Resume:
    """Each of the four, in turn."""
    return RESUMES[request.param]


def cut(llm: Any, entrance: str = "invoke") -> AIMessage:
    """Have an answer that is not whole, be it by an error."""
    try:
        return ENTRANCES[entrance](llm, "Hi")
    except ContinuationError as error:
        return error.partial


def continuation(message: AIMessage) -> dict[str, Any]:
    said: dict[str, Any] = message.response_metadata["continuation"]
    return said


@MODELS
@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("ended_by", list(ENDS))
def test_from_each_end_in_each_form(
    serve: Serve, resume: Resume, ended_by: str, form: str, name: str
) -> None:
    bedrock = serve(going_on_but(TALK, 2 if ended_by == "error" else 0))
    sizes = {"model": name, "max_tokens": SIZE}
    # Without a stream a deadline leaves nothing; what came before it stands.
    entrance = "invoke" if ended_by == "max_seconds" else "stream"
    partial = cut(model(bedrock, **sizes, **ENDS[ended_by]), entrance)
    assert continuation(partial)["ended_by"] == ended_by
    before = partial.model_dump(exclude={"id"})  # a checkpointer gives it one
    whole = resume(model(bedrock, **sizes), "Hi", FORMS[form](partial))
    assert partial.model_dump(exclude={"id"}) == before
    assert whole.text == TEXT
    assert continuation(whole)["complete"]


@MODELS
def test_the_whole_is_the_sum(serve: Serve, resume: Resume, name: str) -> None:
    """A turn in three steps says of itself what it says in one."""
    bedrock = serve(going_on(TALK))
    sizes = {"model": name, "max_tokens": SIZE}
    step = model(bedrock, **sizes, max_continuations=0)
    message = cut(step)
    while not continuation(message)["complete"]:
        message = resume(step, "Hi", message)
    asked = len(bedrock.requests)
    ours, theirs = continuation(message), continuation(cut(model(bedrock, **sizes)))
    assert asked == len(ours["segments"]) == len(theirs["segments"]) > 2
    assert ours["seams"] == theirs["seams"]
    assert ours["strategy"] == theirs["strategy"]
    assert ours["response"] == theirs["response"]
    for kind in ("input_tokens", "output_tokens"):
        assert ours["billed"][kind] == sum(e[kind] for e in ours["segments"])
    assert message.usage_metadata == ours["billed"]


@MODELS
@pytest.mark.parametrize("make", [plain_model, chat_bedrock])
@pytest.mark.parametrize("had", ["invoke", "stream"])
def test_the_wrapped_models_own_cut_message(
    serve: Serve, make: Any, had: str, name: str
) -> None:
    """At every cut: what it was cut behind may be no place to go on from."""
    bedrock = serve(going_on(TALK))
    goes_on = {plain_model: model, chat_bedrock: wrapped}[make]
    for at in range(1, tokens_of(TALK)):
        partial = ENTRANCES[had](make(bedrock, model=name, max_tokens=at), "Hi")
        llm = goes_on(bedrock, model=name, max_tokens=30)
        for resumed in (RESUMES["resume"], RESUMES["resume_stream"]):
            assert resumed(llm, "Hi", partial).text == TEXT


def test_what_is_whole_comes_back_as_it_is(serve: Serve, resume: Resume) -> None:
    bedrock = serve(going_on(TALK))
    llm = model(bedrock, max_tokens=SIZE)
    messages = [llm.invoke("Hi"), plain_model(bedrock, max_tokens=90).invoke("Hi")]
    messages += [AIMessage("No stop reason at all."), through_json(messages[0])]
    bedrock.clear()
    for message in messages:
        same = resume(llm, "Hi", message).model_dump()
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
def test_with_bound_tools_at_every_cut(
    serve: Serve, resume: Resume, agent: str, version: str
) -> None:
    """No cut call stands, and those of the whole message are whole."""
    name, blocks, settings = AGENTS[agent]
    answer = Answer(blocks, fine_grained=True)
    bedrock = serve(going_on(answer))
    settings = {"model": name, "output_version": version, **settings}
    whole = plain_model(bedrock, max_tokens=90, **settings).bind_tools(TOOLS)
    llm = model(bedrock, max_tokens=16, **settings).bind_tools(TOOLS)
    streamed = resume in {RESUMES["resume_stream"], RESUMES["aresume_stream"]}
    uncut = shape((by_stream if streamed else by_invoke)(whole, "Hi"))
    for at in range(1, tokens_of(answer), 2):
        sizes = {"max_tokens": at, "max_tokens_ceiling": at, "max_continuations": 0}
        partial = cut(model(bedrock, **sizes, **settings).bind_tools(TOOLS))
        assert not continuation(partial)["complete"]
        resumed = resume(llm, "Hi", partial)
        assert continuation(resumed)["complete"]
        assert shape(resumed) == uncut


TOOLS = tools("write", "read")


class Listener(BaseCallbackHandler):
    """Notes what callbacks are told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.events: list[tuple[str, int]] = []

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.texts.append(kwargs["chunk"].text)

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        assert name == "bedrock_continuation"
        self.events.append((data["type"], data["offset"]))


@pytest.mark.parametrize("way", ["resume_stream", "aresume_stream"])
def test_callbacks_see_every_token_once(serve: Serve, way: str) -> None:
    bedrock, listener = serve(going_on(TALK)), Listener()
    partial = cut(model(bedrock, max_tokens=SIZE, max_continuations=0))
    llm = model(bedrock, max_tokens=SIZE)
    config = {"callbacks": [listener]}
    whole = RESUMES[way](llm, "Hi", partial, config=config)
    assert "".join(listener.texts) == whole.text == TEXT


def test_listeners_hear_of_the_resuming(serve: Serve) -> None:
    bedrock, listener = serve(going_on(TALK)), Listener()
    partial = cut(model(bedrock, max_tokens=SIZE, max_continuations=0))
    llm = model(bedrock, max_tokens=SIZE)
    chain: Any = RunnableLambda(lambda asked: llm.resume(asked, partial))
    whole = chain.invoke("Hi", {"callbacks": [listener]})
    first, *later = listener.events
    assert first[0] == "resume"
    assert {kind for kind, _ in later} == {"seam"}
    assert [at for _, at in listener.events] == continuation(whole)["seams"]


@MODELS
def test_an_error_while_resuming_has_the_longer_partial(
    serve: Serve, resume: Resume, name: str
) -> None:
    bedrock = serve(going_on_but(TALK, 2))
    sizes = {"model": name, "max_tokens": SIZE}
    partial = cut(model(bedrock, **sizes, max_continuations=0))
    llm = model(bedrock, **sizes)
    with pytest.raises(SegmentError) as raised:
        resume(llm, "Hi", partial)
    longer = raised.value.partial
    assert longer.text.startswith(partial.text.rstrip())
    assert TEXT.startswith(longer.text)
    assert len(raised.value.segments) == len(continuation(longer)["segments"]) == 2
    assert resume(llm, "Hi", longer).text == TEXT


def test_a_limit_while_resuming_raises_the_longer_partial(
    serve: Serve, resume: Resume
) -> None:
    bedrock = serve(going_on(TALK))
    step = model(bedrock, max_tokens=6, max_continuations=0, on_limit="raise")
    first = cut(step)
    with pytest.raises(TurnLimitError) as raised:
        resume(step, "Hi", first)
    assert len(raised.value.segments) == 2
    assert len(raised.value.partial.text) > len(first.text)


@pytest.mark.parametrize("bad", ["text", None, HumanMessage("Hi"), {"content": ""}])
def test_what_is_no_partial_is_refused_by_name(
    serve: Serve, resume: Resume, bad: Any
) -> None:
    bedrock = serve(TALK)
    with pytest.raises(ValueError, match=r"^partial: must be an AIMessage"):
        resume(model(bedrock), "Hi", bad)
    assert bedrock.requests == []


def test_a_partial_that_is_given_twice_is_refused(serve: Serve, resume: Resume) -> None:
    llm = model(serve(TALK), max_tokens=5, max_continuations=0)
    partial = cut(llm)
    with pytest.raises(ValueError, match=r"^messages: must end before the partial"):
        resume(llm, [HumanMessage("Hi"), partial], partial)


PARTIALS = {
    "of another version": {"continuation": {"complete": False}},
    "with odd metadata": {"continuation": "cut", "stopReason": "max_tokens"},
    "of the service alone": {"stopReason": "max_tokens"},
}


@pytest.mark.parametrize("metadata", list(PARTIALS.values()), ids=list(PARTIALS))
@pytest.mark.parametrize("text", ["", " \n", TEXT[:11], TEXT[:9] + "\n\n"])
def test_what_a_message_says_of_itself_may_be_little(
    serve: Serve, resume: Resume, metadata: dict[str, Any], text: str
) -> None:
    bedrock = serve(going_on(TALK))
    partial = AIMessage(text, response_metadata=metadata)
    assert resume(model(bedrock, max_tokens=SIZE), "Hi", partial).text == TEXT
