"""An agent whose model is truncated in a tool call runs the tool once, completely."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from langchain.agents import create_agent
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    HumanMessage,
    ToolMessage,
)
from langchain_core.tools import StructuredTool

from langchain_bedrock_continue import TruncatedToolCallError
from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    LocalBedrock,
    Request,
    Script,
    Think,
)
from tests.support.endpoint import Serve
from tests.support.entrances import TWO_ENTRANCES
from tests.support.models import (
    BINDING_MODEL,
    PREFILL_MODEL,
    REFUSING_MODEL,
    STRATEGIES,
    THINKING,
    model,
    plain_model,
)
from tests.support.scripts import rest_of

PROSE = "Every single character matters, wherever somebody interrupts. " * 4
PART = (
    PROSE
    + '\n\ndef f(x):\n    return {"x": x, \'y\': [1, {}]}  # 日本語の "文" \\ 🙂\n\n'
)
CONTENT = PART * (4 * 1024 // len(PART.encode()) + 1)
SAYS = "I write the file now.\n\n"
DONE = "The file is written. " + "And there is more to say of it than fits. " * 12
TRUNCATIONS: dict[str, dict[str, Any]] = {
    "no arguments": {"truncated_tool_input": "empty"},
    "complete keys": {},
    "any text": {"fine_grained": True},
}
"""How much arrives of a truncated call's arguments."""


class Disk:
    """A tool that writes files, and a record of its calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[str] = []

    def write_file(self, path: str = "a.py", content: str = "") -> str:
        """Write a file."""
        self.calls.append(path)
        (self.folder / path).write_text(content, encoding="utf-8")
        return f"{path}: written"

    def read(self, path: str = "a.py") -> str:
        return (self.folder / path).read_text(encoding="utf-8")


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


# The entrances of an agent: each returns the final messages, and the text that a reader
# of the stream saw of each message.

Run: TypeAlias = tuple[list[AnyMessage], dict[str, str] | None]
Asked: TypeAlias = list[AnyMessage]


def by_invoke(agent: Any, asked: Asked) -> Run:
    return agent.invoke({"messages": asked})["messages"], None


def by_ainvoke(agent: Any, asked: Asked) -> Run:
    return asyncio.run(agent.ainvoke({"messages": asked}))["messages"], None


def by_stream(agent: Any, asked: Asked) -> Run:
    return read(
        list(agent.stream({"messages": asked}, stream_mode=["messages", "values"]))
    )


def by_astream(agent: Any, asked: Asked) -> Run:
    async def collected() -> list[Any]:
        modes = ["messages", "values"]
        stream = agent.astream({"messages": asked}, stream_mode=modes)
        return [part async for part in stream]

    return read(asyncio.run(collected()))


def read(parts: list[Any]) -> Run:
    seen: dict[str, str] = {}
    for mode, part in parts:
        if mode == "messages" and isinstance(part[0], AIMessageChunk):
            chunk = part[0]
            seen[chunk.id or ""] = seen.get(chunk.id or "", "") + chunk.text
    return [part for mode, part in parts if mode == "values"][-1]["messages"], seen


AGENT_ENTRANCES: dict[str, Callable[[Any, Asked], Run]] = {
    "invoke": by_invoke,
    "stream": by_stream,
    "ainvoke": by_ainvoke,
    "astream": by_astream,
}
every_entrance = pytest.mark.parametrize("by", AGENT_ENTRANCES)
two_entrances = pytest.mark.parametrize("by", TWO_ENTRANCES)


def writing(*calls: CallTool, thinks: bool = False, **truncation: Any) -> Script:
    """Make a model that calls tools, and reports when it has their results."""
    thoughts = [Think("A file has to be written.")] if thinks else []

    def answer(request: Request) -> Answer:
        if any("toolResult" in b for m in request.messages for b in m["content"]):
            return rest_of(Answer([*thoughts, DONE]), request)
        return rest_of(Answer([*thoughts, SAYS, *calls], **truncation), request)

    return Script(answer)


def agent_of(
    bedrock: LocalBedrock, disk: Disk, make: Any = model, **kwargs: Any
) -> Any:
    tool = StructuredTool.from_function(disk.write_file)
    settings = {"model": PREFILL_MODEL, "max_tokens": 64, **kwargs}
    return create_agent(make(bedrock, **settings), tools=[tool])


def spoken(messages: list[AnyMessage]) -> list[AIMessage]:
    return [one for one in messages if isinstance(one, AIMessage)]


WRITE = CallTool("write_file", {"path": "a.py", "content": CONTENT})
ASK: Asked = [HumanMessage("Write it.")]


@two_entrances
@pytest.mark.parametrize("truncation", TRUNCATIONS)
@pytest.mark.parametrize("name", STRATEGIES)
def test_the_tool_runs_once_with_all_bytes(
    serve: Serve, disk: Disk, name: str, truncation: str, by: str
) -> None:
    bedrock = serve(writing(WRITE, **TRUNCATIONS[truncation]))
    agent = agent_of(bedrock, disk, model=STRATEGIES[name])
    messages, seen = AGENT_ENTRANCES[by](agent, ASK)
    assert disk.calls == ["a.py"]
    assert disk.read() == CONTENT
    calling, done = spoken(messages)
    assert (calling.text, done.text) == (SAYS, DONE)
    if seen is not None:
        assert list(seen.values()) == [SAYS, DONE]
    # The endpoint refuses an illegal conversation: this one can be continued.
    again, _ = AGENT_ENTRANCES[by](agent, [*messages, HumanMessage("And now?")])
    assert spoken(again)[-1].text == DONE


@two_entrances
@pytest.mark.parametrize("truncation", TRUNCATIONS)
def test_with_chat_bedrock_converse_the_tool_runs_with_part_of_them(
    serve: Serve, disk: Disk, truncation: str, by: str
) -> None:
    # This is why the package exists: if it fails, LangChain has fixed it.
    bedrock = serve(writing(WRITE, **TRUNCATIONS[truncation]))
    AGENT_ENTRANCES[by](agent_of(bedrock, disk, plain_model), ASK)
    assert disk.calls == ["a.py"]
    assert disk.read() != CONTENT
    assert CONTENT.startswith(disk.read())


@two_entrances
@pytest.mark.parametrize("name", STRATEGIES)
def test_parallel_calls_run_once_each(
    serve: Serve, disk: Disk, name: str, by: str
) -> None:
    paths = ["a.py", "b.py", "c.py"]
    calls = [CallTool("write_file", {"path": p, "content": p + PART}) for p in paths]
    bedrock = serve(writing(*calls, fine_grained=True))
    AGENT_ENTRANCES[by](agent_of(bedrock, disk, model=STRATEGIES[name]), ASK)
    assert sorted(disk.calls) == paths
    assert [disk.read(path) for path in paths] == [path + PART for path in paths]


@every_entrance
@pytest.mark.parametrize("name", STRATEGIES)
def test_the_tool_runs_once_though_each_retry_is_reworded(
    serve: Serve, disk: Disk, name: str, by: str
) -> None:
    wordings = [SAYS, "Sure. ", "Here it comes, as you asked: ", "Well. "]
    attempts: list[str] = []

    def answer(request: Request) -> Answer:
        if any("toolResult" in block for block in request.messages[-1]["content"]):
            return Answer("Done.")
        attempts.append(wordings[len(attempts)])
        call = CallTool(
            "write_file", WRITE.input, tool_use_id=f"attempt{len(attempts)}"
        )
        return Answer([attempts[-1], call], fine_grained=True)

    bedrock = serve(Script(answer))
    messages, seen = AGENT_ENTRANCES[by](
        agent_of(bedrock, disk, model=STRATEGIES[name]), ASK
    )
    assert len(attempts) > 2
    assert disk.calls == ["a.py"]
    assert disk.read() == CONTENT
    calling, done = spoken(messages)
    assert (calling.text, done.text) == (SAYS, "Done.")
    assert [call["id"] for call in calling.tool_calls] == [f"attempt{len(attempts)}"]
    if seen is not None:
        assert list(seen.values()) == [SAYS, "Done."]


@two_entrances
@pytest.mark.parametrize("model_id", [REFUSING_MODEL, BINDING_MODEL])
def test_the_tool_runs_once_for_a_model_that_thinks(
    serve: Serve, disk: Disk, model_id: str, by: str
) -> None:
    # Thinking is sent back with its signature, which depends on the words before it.
    bedrock = serve(writing(WRITE, thinks=True))
    agent = agent_of(bedrock, disk, model=model_id, **THINKING)
    messages, seen = AGENT_ENTRANCES[by](agent, ASK)
    assert disk.read() == CONTENT
    assert [one.text for one in spoken(messages)] == [SAYS, DONE]
    if seen is not None:
        assert list(seen.values()) == [SAYS, DONE]


@every_entrance
def test_raise_ends_the_agent_before_any_tool_runs(
    serve: Serve, disk: Disk, by: str
) -> None:
    bedrock = serve(writing(WRITE))
    agent = agent_of(bedrock, disk, tool_call_recovery="raise")
    with pytest.raises(TruncatedToolCallError) as raised:
        AGENT_ENTRANCES[by](agent, ASK)
    assert disk.calls == []
    assert raised.value.partial.text == SAYS
    assert len(raised.value.partial.invalid_tool_calls) == 1


@every_entrance
def test_return_ends_the_agent_with_an_invalid_call_that_can_be_answered(
    serve: Serve, disk: Disk, by: str
) -> None:
    bedrock = serve(writing(WRITE))
    agent = agent_of(bedrock, disk, tool_call_recovery="return")
    messages, _ = AGENT_ENTRANCES[by](agent, ASK)
    assert disk.calls == []
    (invalid,) = spoken(messages)[-1].invalid_tool_calls
    told = ToolMessage("It was truncated.", tool_call_id=invalid["id"], status="error")
    again, _ = AGENT_ENTRANCES[by](
        agent, [*messages, told, HumanMessage("Then don't.")]
    )
    assert spoken(again)[-1].text == DONE
