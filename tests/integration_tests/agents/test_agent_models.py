"""What an agent's model may be: each is continued by the middleware."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import ConfigurableField

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import Answer, LocalBedrock, Script
from langchain_bedrock_continue.middleware import ContinuationMiddleware
from tests.support.agents import (
    ASK,
    CONTENT,
    DONE,
    SAYS,
    SIZE,
    Files,
    failing_at,
    spoken,
    writing,
)
from tests.support.endpoint import Serve
from tests.support.messages import requested_sizes
from tests.support.models import (
    MODEL,
    REFUSING_MODEL,
    chat_bedrock,
    client_of,
    model,
    plain_model,
)
from tests.support.scripts import continuing

CONFIG: Any = {"configurable": {"size": SIZE + 1, "which": "other"}}

SIZE_FIELD = ConfigurableField(id="size")


def plain(bedrock: LocalBedrock, **kwargs: Any) -> Any:
    return plain_model(bedrock, **{"max_tokens": SIZE, **kwargs})


def ours(bedrock: LocalBedrock) -> Any:
    return model(bedrock, max_tokens=SIZE)


def configurable_fields(bedrock: LocalBedrock) -> Any:
    return plain(bedrock).configurable_fields(max_tokens=SIZE_FIELD)


def configurable_alternatives(bedrock: LocalBedrock) -> Any:
    return plain(bedrock).configurable_alternatives(
        ConfigurableField(id="which"), other=plain(bedrock, model=REFUSING_MODEL)
    )


def chosen_by_name(bedrock: LocalBedrock) -> Any:
    client = client_of(bedrock)
    return init_chat_model(
        MODEL,
        model_provider="bedrock_converse",
        configurable_fields=("max_tokens",),
        config_prefix="llm",
        max_tokens=SIZE,
        client=client,
        bedrock_client=client,
    )


MODELS: dict[str, Callable[[LocalBedrock], Any]] = {
    "ChatBedrockConverse": plain,
    "ChatBedrock": lambda bedrock: chat_bedrock(bedrock, max_tokens=SIZE),
    "ours": ours,
    "bind": lambda bedrock: plain(bedrock).bind(stop=["</stop>"]),
    "bind of ours": lambda bedrock: ours(bedrock).bind(stop=["</stop>"]),
    "with_config": lambda bedrock: plain(bedrock).with_config(tags=["mine"]),
    "with_fallbacks": lambda bedrock: plain(bedrock).with_fallbacks([plain(bedrock)]),
    "with_fallbacks of ours": lambda b: ours(b).with_fallbacks([ours(b)]),
    "configurable_fields": configurable_fields,
    "configurable_fields of ours": lambda b: ours(b).configurable_fields(
        max_tokens=SIZE_FIELD
    ),
    "configurable_alternatives": configurable_alternatives,
    "init_chat_model": chosen_by_name,
}


def agent_of(bedrock: LocalBedrock, files: Files, name: str) -> Any:
    middleware = [ContinuationMiddleware(max_continuations=200)]
    return create_agent(MODELS[name](bedrock), [files.tool], middleware=middleware)


@pytest.mark.parametrize("name", MODELS)
def test_each_model_is_continued(serve: Serve, name: str) -> None:
    files = Files()
    state = agent_of(serve(Script(writing())), files, name).invoke(ASK, CONFIG)
    assert files.calls == [("a.md", CONTENT)]
    assert [message.text for message in spoken(state)] == [SAYS, DONE]


@pytest.mark.parametrize("name", ["with_fallbacks", "init_chat_model"])
def test_its_tokens_are_streamed_once(serve: Serve, name: str) -> None:
    async def shown() -> str:
        agent = agent_of(serve(Script(writing())), Files(), name)
        parts = agent.astream(ASK, CONFIG, stream_mode="messages")
        chunks = [chunk async for chunk, _ in parts]
        return "".join(c.text for c in chunks if isinstance(c, AIMessageChunk))

    assert asyncio.run(shown()) == SAYS + DONE


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("configurable_fields", {"size": 55}),
        ("configurable_fields of ours", {"size": 55}),
        ("init_chat_model", {"llm_max_tokens": 55}),
    ],
)
def test_the_config_of_the_run_selects_the_model(
    serve: Serve, name: str, config: dict[str, Any]
) -> None:
    bedrock = serve(continuing(Answer(DONE)))
    agent = create_agent(MODELS[name](bedrock), middleware=[ContinuationMiddleware()])
    for given, size in (({}, SIZE), (config, 55)):
        bedrock.clear()
        state = agent.invoke(ASK, {"configurable": given})
        assert set(requested_sizes(bedrock)) == {size}
        assert spoken(state)[-1].text == DONE


def test_the_config_selects_an_alternative(serve: Serve) -> None:
    bedrock = serve(continuing(Answer(DONE)))
    llm = configurable_alternatives(bedrock)
    create_agent(llm, middleware=[ContinuationMiddleware()]).invoke(ASK, CONFIG)
    assert {request.model_id for request in bedrock.requests} == {REFUSING_MODEL}


@pytest.mark.parametrize("name", MODELS)
def test_its_partial_message_is_resumed(serve: Serve, name: str) -> None:
    bedrock = serve(continuing(Answer(DONE)))
    partial = model(bedrock, max_tokens=SIZE, max_continuations=0).invoke(
        ASK["messages"]
    )
    bedrock.clear()
    given = {"messages": [*ASK["messages"], partial]}
    state = agent_of(bedrock, Files(), name).invoke(given, CONFIG)
    assert [message.text for message in spoken(state)] == [DONE]
    assert spoken(state)[0].id == partial.id
    prefill = bedrock.requests[0].body["messages"][1:]
    assert PARTIAL_TEXT in str(prefill)


PARTIAL_TEXT = DONE[: len(DONE) // 4]


def test_a_fallback_of_another_class_is_called_as_it_is(serve: Serve) -> None:
    bedrock = serve(Script(failing_at(1, writing(), at=0)))
    other = GenericFakeChatModel(messages=iter([AIMessage("Hello.")]))
    llm: Any = plain(bedrock).with_fallbacks([other])
    middleware = ContinuationMiddleware(unsupported_model_behavior="ignore")
    state = create_agent(llm, middleware=[middleware]).invoke(ASK)
    assert spoken(state)[-1].text == "Hello."
    strict = create_agent(llm, middleware=[ContinuationMiddleware()])
    with pytest.raises(ValueError, match="GenericFakeChatModel"):
        strict.invoke(ASK)


def test_fallbacks_of_ours_can_be_bound_to_tools(serve: Serve) -> None:
    """LangChain reads the types of the methods that it calls on each model."""
    bedrock = serve(Script(failing_at(1, writing(), at=0)))
    llm: Any = ours(bedrock).with_fallbacks([ours(bedrock)])
    message = llm.bind_tools([Files().tool]).invoke("Write the file.")
    assert message.tool_calls[0]["args"]["content"] == CONTENT
    assert type(llm.runnable) is ChatBedrockContinuing
