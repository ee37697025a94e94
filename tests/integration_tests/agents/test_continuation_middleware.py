"""ContinuationMiddleware: what it does to an agent, and what it leaves as it is."""

import sys
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

import langchain_bedrock_continue
from langchain_bedrock_continue import (
    ChatBedrockContinuing,
    SegmentError,
    TurnLimitError,
)
from langchain_bedrock_continue.local import Answer, CallTool, Request, Script
from langchain_bedrock_continue.middleware import (
    ContinuationMiddleware,
    ContinuationSettings,
)
from tests.support.agents import (
    ASK,
    CONTENT,
    DONE,
    RUNS,
    SAYS,
    SIZE,
    WAYS,
    WRITE,
    Files,
    Run,
    by_middleware,
    by_plain_model,
    failing_at,
    has_result,
    spoken,
    writing,
)
from tests.support.endpoint import Serve
from tests.support.messages import continuation, ending, shape
from tests.support.models import (
    PREFILL_MODEL,
    REFUSING_MODEL,
    chat_bedrock,
    model,
)
from tests.support.scripts import continuing, rest_of

CONFIG: Any = {"configurable": {"thread_id": "1"}}
NOTHING: dict[str, Any] = {"messages": []}
MODELS = pytest.mark.parametrize("name", [PREFILL_MODEL, REFUSING_MODEL])


@pytest.fixture(params=list(RUNS))
def run(request: pytest.FixtureRequest) -> Run:
    return RUNS[request.param]


@pytest.fixture
def saved() -> dict[str, Any]:
    """Arguments of an agent that has a checkpointer."""
    return {"checkpointer": InMemorySaver()}


# Drop-in ---------------------------------------------------------------------------


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("name", [PREFILL_MODEL, REFUSING_MODEL])
def test_an_agent_that_is_not_truncated_is_the_same(
    serve: Serve, run: Run, way: str, name: str
) -> None:
    bedrock = serve(Script(writing()))
    seen = []
    for make in (by_plain_model, WAYS[way]):
        bedrock.clear()
        files = Files()
        state = run(make(bedrock, [files.tool], model=name, max_tokens=4000), ASK)
        bodies = [request.body for request in bedrock.requests]
        messages = [shape(message) for message in spoken(state)]
        results = [m.text for m in state["messages"] if isinstance(m, ToolMessage)]
        seen.append((bodies, messages, results, files.calls, state.keys()))
    assert seen[0] == seen[1]


def test_a_model_that_is_a_continuing_one_is_not_changed(serve: Serve) -> None:
    """The settings of the middleware are for models that it wraps."""
    bedrock = serve(continuing(Answer(DONE)))
    llm = model(bedrock, max_tokens=SIZE)
    middleware = ContinuationMiddleware(max_continuations=0)
    agent = create_agent(llm, middleware=[middleware])
    assert spoken(agent.invoke(ASK))[-1].text == DONE


def test_the_settings_are_those_of_the_model() -> None:
    fields = ChatBedrockContinuing.model_fields
    own = {name for name in fields if "langchain_core" not in str(fields[name])}
    settings = ContinuationSettings.__annotations__.keys()
    assert settings <= own
    assert settings == set(ChatBedrockContinuing.__annotations__) & own


def test_a_setting_reaches_the_model(serve: Serve, run: Run) -> None:
    agent = by_middleware(
        serve(continuing(Answer(DONE))), max_continuations=1, max_tokens=12
    )
    message = spoken(run(agent, ASK))[-1]
    assert ending(message) == ("max_continuations", False)


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({"max_continuation": 3}, "Did you mean max_continuations"),
        ({"max_tokens": 100}, "those of the agent's model"),
        ({"llm": None}, "no setting of that name"),
        ({"max_continuations": -1}, "max_continuations"),
        ({"continuation_prompt": "Go on."}, "{tail}"),
    ],
)
def test_a_wrong_setting_is_refused_at_once(setting: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        ContinuationMiddleware(**setting)


# Invalid calls ---------------------------------------------------------------------

CEILING: Any = {"max_tokens_ceiling": SIZE}
"""No retry has room for WRITE."""

PIECES = [CONTENT[at : at + 180] for at in range(0, len(CONTENT), 180)]
"""CONTENT in parts that a retry has room for."""


def test_the_model_learns_that_its_call_was_truncated_and_writes_shorter_ones(
    serve: Serve, run: Run
) -> None:
    ceiling = 4 * SIZE
    told: list[Any] = []

    def answer(request: Request) -> Answer:
        results = [
            block["toolResult"]
            for message in request.messages
            for block in message["content"]
            if "toolResult" in block
        ]
        told[:] = results[:1]
        content = [CONTENT, *PIECES, None][len(results)]
        if content is None:
            return rest_of(Answer(DONE), request)
        call = CallTool("write_file", {"path": "a.md", "content": content})
        return rest_of(Answer([SAYS, call], fine_grained=True), request)

    files = Files()
    agent = by_middleware(
        serve(Script(answer)), [files.tool], max_tokens_ceiling=ceiling
    )
    state = run(agent, ASK)
    assert "".join(content for _, content in files.calls) == CONTENT
    assert len(files.calls) == len(PIECES)
    assert spoken(state)[-1].text == DONE
    [first, *_] = [m for m in state["messages"] if isinstance(m, ToolMessage)]
    assert first.status == "error"
    assert "Truncated at max_tokens" in first.text
    assert "several calls" in first.text
    assert told[0]["status"] == "error"
    assert told[0]["content"] == [{"text": first.text}]


@pytest.mark.parametrize("most", [0, 1, 3])
def test_an_agent_goes_on_so_many_times_in_a_row(
    serve: Serve, run: Run, most: int
) -> None:
    files = Files()
    settings: Any = {**CEILING, "max_corrections": most}
    state = run(by_middleware(serve(Script(writing())), [files.tool], **settings), ASK)
    assert files.calls == []
    assert len(spoken(state)) == most + 1
    assert all(message.invalid_tool_calls for message in spoken(state))
    assert isinstance(state["messages"][-1], AIMessage)


def test_without_the_middleware_the_agent_ends(serve: Serve, run: Run) -> None:
    files = Files()
    agent = WAYS["model"](serve(Script(writing())), [files.tool], **CEILING)
    state = run(agent, ASK)
    assert len(state["messages"]) == 2
    assert files.calls == []


class Report(BaseModel):
    """What the agent returns."""

    text: str


def test_truncated_structured_output_is_asked_for_again(serve: Serve, run: Run) -> None:
    def answer(request: Request) -> Answer:
        results = "toolResult" in str(request.messages)
        return Answer([CallTool("Report", {"text": "Short." if results else CONTENT})])

    agent = by_middleware(
        serve(Script(answer)),
        agent={"response_format": ToolStrategy(Report)},
        **CEILING,
    )
    assert run(agent, ASK)["structured_response"] == Report(text="Short.")


def test_structured_output_that_never_fits_is_not_asked_for_without_end(
    serve: Serve, run: Run
) -> None:
    def answer(request: Request) -> Answer:
        return Answer([CallTool("Report", {"text": CONTENT})])

    bedrock = serve(Script(answer))
    agent = by_middleware(
        bedrock, agent={"response_format": ToolStrategy(Report)}, **CEILING
    )
    with pytest.raises(TurnLimitError, match="of 3 answers in a row") as raised:
        run(agent, ASK, {"recursion_limit": 30})
    assert len(bedrock.requests) == 3
    assert raised.value.partial.invalid_tool_calls
    assert len(raised.value.segments) == 1


# Failures --------------------------------------------------------------------------


def says(text: str) -> Any:
    return lambda request: rest_of(Answer(text), request)


@MODELS
@pytest.mark.parametrize("said", [SAYS, ""], ids=["after text", "without text"])
def test_a_failure_within_a_tool_call_is_resumed(
    serve: Serve, saved: Any, run: Run, name: str, said: str
) -> None:
    """The call was truncated, and its retry failed."""

    def answer(request: Request) -> Answer:
        if has_result(request):
            return rest_of(Answer(DONE), request)
        return Answer([said, WRITE] if said else [WRITE], fine_grained=True)

    files, bedrock = Files(), serve(Script(failing_at(2, answer, at=0)))
    agent = by_middleware(bedrock, [files.tool], agent=saved, model=name)
    with pytest.raises(SegmentError):
        run(agent, ASK, CONFIG)
    assert files.calls == []
    state = run(agent, None, CONFIG)
    assert files.calls == [("a.md", CONTENT)]
    assert [message.text for message in spoken(state)] == [said, DONE]
    assert [type(one) for one in state["messages"]] == [
        *(HumanMessage, AIMessage, ToolMessage, AIMessage)
    ]


def test_an_answer_that_fails_again_is_saved_again(
    serve: Serve, saved: Any, run: Run
) -> None:
    bedrock = serve(Script(failing_at(2, failing_at(4, says(DONE)))))
    agent = by_middleware(bedrock, agent=saved, max_tokens=10)
    lengths = []
    for given in (ASK, None):
        with pytest.raises(SegmentError):
            run(agent, given, CONFIG)
        lengths.append(len(spoken(agent.get_state(CONFIG).values)[-1].text))
    assert lengths == sorted(set(lengths))
    state = run(agent, None, CONFIG)
    assert [message.text for message in spoken(state)] == [DONE]


def test_after_a_failure_the_conversation_can_go_on_without_resuming(
    serve: Serve, saved: Any, run: Run
) -> None:
    bedrock = serve(Script(failing_at(2, says(DONE))))
    agent = by_middleware(bedrock, agent=saved)
    with pytest.raises(SegmentError) as raised:
        run(agent, ASK, CONFIG)
    state = run(agent, {"messages": [HumanMessage("Something else.")]}, CONFIG)
    partial = raised.value.partial
    assert [message.text for message in spoken(state)] == [partial.text, DONE]


def test_without_a_checkpointer_the_error_has_the_partial_message(
    serve: Serve, run: Run
) -> None:
    bedrock = serve(Script(failing_at(2, says(DONE))))
    with pytest.raises(SegmentError) as raised:
        run(by_middleware(bedrock), ASK)
    partial = raised.value.partial
    state = run(by_middleware(bedrock), {"messages": [*ASK["messages"], partial]})
    assert [message.text for message in spoken(state)] == [DONE]
    assert spoken(state)[0].id == partial.id


def test_with_raise_nothing_is_saved(serve: Serve, saved: Any, run: Run) -> None:
    bedrock = serve(Script(failing_at(2, says(DONE))))
    agent = by_middleware(bedrock, agent=saved, on_error="raise")
    with pytest.raises(SegmentError) as raised:
        run(agent, ASK, CONFIG)
    assert spoken(agent.get_state(CONFIG).values) == []
    state = run(agent, {"messages": [raised.value.partial]}, CONFIG)
    assert [message.text for message in spoken(state)] == [DONE]


def test_an_error_before_anything_arrived_is_unchanged(
    serve: Serve, saved: Any, run: Run
) -> None:
    bedrock = serve(Script(failing_at(1, says(DONE), at=0)))
    agent = by_middleware(bedrock, agent=saved)
    with pytest.raises(Exception, match="No\\.") as raised:
        run(agent, ASK, CONFIG)
    assert not isinstance(raised.value, SegmentError)
    assert spoken(agent.get_state(CONFIG).values) == []
    assert spoken(run(agent, None, CONFIG))[-1].text == DONE


def test_an_answer_that_a_limit_ended_is_resumed_by_the_next_run(
    serve: Serve, saved: Any, run: Run
) -> None:
    bedrock = serve(continuing(Answer(DONE)))
    agent = by_middleware(bedrock, agent=saved, max_continuations=1, max_tokens=12)
    message = spoken(run(agent, ASK, CONFIG))[-1]
    runs = 1
    while not continuation(message)["complete"]:
        [message] = spoken(run(agent, NOTHING, CONFIG))
        runs += 1
    assert message.text == DONE
    assert runs > 2


def test_a_complete_last_message_is_not_resumed(serve: Serve) -> None:
    """It is the caller's prefill, as without the middleware."""
    bedrock = serve(Script("One, two, three."))
    given = {"messages": [*ASK["messages"], AIMessage("One, two,")]}
    by_plain_model(bedrock).invoke(given)
    by_middleware(bedrock).invoke(given)
    first, second = (request.body for request in bedrock.requests)
    assert first == second


# Other models, and no langchain ----------------------------------------------------


def other_model() -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([AIMessage("Hello.")]))


def test_another_model_is_an_error_by_default() -> None:
    agent = create_agent(other_model(), middleware=[ContinuationMiddleware()])
    with pytest.raises(
        ValueError, match=r"GenericFakeChatModel: it supports .*Converse"
    ):
        agent.invoke(ASK)


def test_another_model_is_called_unchanged_on_request(
    recwarn: pytest.WarningsRecorder,
) -> None:
    ignoring = ContinuationMiddleware(unsupported_model_behavior="ignore")
    state = create_agent(other_model(), middleware=[ignoring]).invoke(ASK)
    assert spoken(state)[-1].text == "Hello."
    assert not recwarn
    warning = ContinuationMiddleware(unsupported_model_behavior="warn")
    agent = create_agent(other_model(), middleware=[warning])
    with pytest.warns(UserWarning, match="GenericFakeChatModel"):
        state = agent.invoke(ASK)
    assert spoken(state)[-1].text == "Hello."


def test_a_model_that_its_class_supports_and_we_do_not_says_why(serve: Serve) -> None:
    titan = chat_bedrock(serve(DONE), model="amazon.titan-text-express-v1")
    agent = create_agent(titan, middleware=[ContinuationMiddleware()])
    with pytest.raises(
        ValueError, match=r"a ChatBedrock: llm: a ChatBedrock of provider"
    ):
        agent.invoke(ASK)


def test_without_langchain_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "langchain.agents.middleware.types", None)
    monkeypatch.delitem(sys.modules, "langchain_bedrock_continue.middleware")
    with pytest.raises(ImportError, match=r'pip install "langchain>=1\.4"'):
        _ = langchain_bedrock_continue.ContinuationMiddleware


def test_the_package_imports_the_middleware_when_it_is_asked_for() -> None:
    assert langchain_bedrock_continue.ContinuationMiddleware is ContinuationMiddleware
    with pytest.raises(AttributeError, match="has no attribute 'Continuation_'"):
        _ = getattr(langchain_bedrock_continue, "Continuation_")  # noqa: B009 - for mypy
