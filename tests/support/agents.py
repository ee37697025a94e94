"""Agents whose model is continued, in two ways; the scripts and tools of their tests.

`by_model` gives the agent a ChatBedrockContinuing. `by_middleware` gives it a
ChatBedrockConverse and a ContinuationMiddleware, the last in its list.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import StructuredTool

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    FaultAt,
    LocalBedrock,
    Request,
)
from langchain_bedrock_continue.middleware import ContinuationMiddleware
from tests.support.models import model, plain_model
from tests.support.scripts import rest_of

ASK: Any = {"messages": [HumanMessage("Write the file.", id="asked")]}
SAYS = "I write the file now.\n\n"
CONTENT = 'Every character matters: {"x": [1, 2]}, `日本語`, and \\n, too.\n' * 12
WRITE = CallTool("write_file", {"path": "a.md", "content": CONTENT}, "t1")
DONE = "The file is written, and there is more to say of it than fits. " * 4
SIZE = 40
"""A `max_tokens` that truncates both answers, and the call in the first one."""

Make: TypeAlias = Callable[..., Any]


def by_model(
    bedrock: LocalBedrock,
    tools: Sequence[Any] = (),
    middleware: Sequence[Any] = (),
    agent: dict[str, Any] | None = None,
    **settings: Any,
) -> Any:
    """Make an agent whose model is a ChatBedrockContinuing.

    Args:
        bedrock: The endpoint.
        tools: The agent's tools.
        middleware: Its middleware.
        agent: Other arguments of `create_agent`.
        **settings: Arguments of the model.
    """
    llm = model(bedrock, **{"max_tokens": SIZE, **settings})
    return create_agent(llm, list(tools), middleware=list(middleware), **(agent or {}))


def by_middleware(
    bedrock: LocalBedrock,
    tools: Sequence[Any] = (),
    middleware: Sequence[Any] = (),
    agent: dict[str, Any] | None = None,
    **settings: Any,
) -> Any:
    """Make an agent with a ContinuationMiddleware; see `by_model`."""
    ours = {name: settings.pop(name) for name in OURS & settings.keys()}
    llm = plain_model(bedrock, **{"max_tokens": SIZE, **settings})
    last = ContinuationMiddleware(**{"max_continuations": 200, **ours})
    return create_agent(llm, list(tools), middleware=[*middleware, last], **agent or {})


OURS = {
    *("max_continuations", "max_tokens_ceiling", "message_usage", "on_error"),
    *("max_corrections", "on_limit", "tool_call_recovery", "strategy"),
    "unsupported_model_behavior",
}
"""Settings that the middleware takes in the model's place."""

WAYS: dict[str, Make] = {"model": by_model, "middleware": by_middleware}


def by_plain_model(
    bedrock: LocalBedrock,
    tools: Sequence[Any] = (),
    middleware: Sequence[Any] = (),
    agent: dict[str, Any] | None = None,
    **settings: Any,
) -> Any:
    """Make an agent without continuation, to compare with; see `by_model`."""
    llm = plain_model(bedrock, **{"max_tokens": SIZE, **settings})
    return create_agent(llm, list(tools), middleware=list(middleware), **(agent or {}))


# Entrances: each returns the final state -------------------------------------------

Run: TypeAlias = Callable[..., dict[str, Any]]


def by_invoke(agent: Any, given: Any, config: Any = None) -> dict[str, Any]:
    """Run an agent by `invoke`."""
    state: dict[str, Any] = agent.invoke(given, config)
    return state


def by_ainvoke(agent: Any, given: Any, config: Any = None) -> dict[str, Any]:
    """Run an agent by `ainvoke`, in an event loop of its own."""
    state: dict[str, Any] = asyncio.run(agent.ainvoke(given, config))
    return state


RUNS: dict[str, Run] = {"invoke": by_invoke, "ainvoke": by_ainvoke}


# The tool, and the model ------------------------------------------------------------


class Files:
    """Files in memory, and a tool that writes them.

    Attributes:
        calls: What each call of the tool wrote, in order.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def write_file(self, path: str = "?", content: str = "") -> str:
        """Write a file. Its defaults let a truncated call pass, as many tools do."""
        self.calls.append((path, content))
        return f"{path}: {len(content)} characters"

    @property
    def tool(self) -> StructuredTool:
        """The tool."""
        return StructuredTool.from_function(self.write_file)


Answering: TypeAlias = Callable[[Request], Answer]
"""What a model says, by the request."""


def writing(*calls: CallTool, says: str = SAYS, done: str = DONE) -> Answering:
    """Make a model that calls tools, and reports when it has a result.

    Args:
        *calls: Its calls; WRITE if there are none.
        says: What it says before them.
        done: What it reports.
    """

    def answer(request: Request) -> Answer:
        blocks: Any = [done] if has_result(request) else [says, *(calls or (WRITE,))]
        return rest_of(Answer(blocks, fine_grained=True), request)

    return answer


def failing_at(number: int, answering: Answering, at: int = 6) -> Answering:
    """Let a model fail for good in its n-th request.

    Args:
        number: The request, from 1.
        answering: What it says.
        at: How many tokens of the answer arrive before.
    """
    asked = 0
    fault = FaultAt(Fault("exception", "AccessDeniedException", "No.", 403), at, None)

    def answer(request: Request) -> Answer:
        nonlocal asked
        asked += 1
        whole = answering(request)
        return replace(whole, faults=[fault] if asked == number else whole.faults)

    return answer


def has_result(request: Request) -> bool:
    """Return True if the conversation has the result of a call that ran."""
    blocks = [block for message in request.messages for block in message["content"]]
    results = [block["toolResult"] for block in blocks if "toolResult" in block]
    return any(result.get("status") != "error" for result in results)


def spoken(state: dict[str, Any]) -> list[AIMessage]:
    """Return the model's messages of a state."""
    messages: list[AnyMessage] = state["messages"]
    return [one for one in messages if isinstance(one, AIMessage)]
