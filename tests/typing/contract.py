"""What type checkers and editors know of the public classes: a contract.

It is checked, not run: `mypy` reads it with all tests, and `pyright` alone. A line that
must be an error has an ignore comment, which is an error itself where it is not needed.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.messages import AIMessage, AIMessageChunk

import langchain_bedrock_continue
from langchain_bedrock_continue import (
    ChatBedrockContinuing,
    Continuation,
    ContinuationError,
    ContinuationReport,
    SegmentEntry,
)

# The constructor ------------------------------------------------------------------

llm = ChatBedrockContinuing(
    model="us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    max_tokens=2048,
    temperature=0.5,
    region_name="us-east-1",
    api_key="key",
    reasoning_effort="low",
    max_continuations=3,
    on_limit="raise",
    some_field_of_a_model=1,
)
ChatBedrockContinuing(llm=ChatBedrockConverse(model="m"))
ChatBedrockContinuing(llm=ChatBedrock(model="m"), strategy="user_turn")

ChatBedrockContinuing("m")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
ChatBedrockContinuing(model=1)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
ChatBedrockContinuing(max_tokens="1")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
ChatBedrockContinuing(on_limit="stop")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
ChatBedrockContinuing(service_tier="x")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
ChatBedrockContinuing(llm="m")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

# Attributes -----------------------------------------------------------------------

assert_type(llm.model, str)
assert_type(llm.max_tokens, int | None)
assert_type(llm.region_name, str | None)
assert_type(llm.max_continuations, int)
assert_type(llm.llm, ChatBedrockConverse | ChatBedrock)
assert_type(langchain_bedrock_continue.__version__, str)

# Calls ----------------------------------------------------------------------------

assert_type(llm.invoke("Q"), AIMessage)
assert_type(llm.stream("Q"), Iterator[AIMessageChunk])
assert_type(llm.astream("Q"), AsyncIterator[AIMessageChunk])
assert_type(llm.batch(["Q"]), list[AIMessage])
assert_type(llm.resume("Q", AIMessage("A")), AIMessage)
assert_type(llm.bind_tools([], tool_choice="any", strict=True).invoke("Q"), AIMessage)
assert_type(llm.bind(stop=["x"]).resume("Q", AIMessage("A")), AIMessage)

llm.with_structured_output(dict, method="json_schema", include_raw=True)
llm.with_structured_output(dict, method="xml")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
llm.with_structured_output(dict, include_raw="yes")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def asynchronously() -> None:
    """Await what can be awaited."""
    assert_type(await llm.ainvoke("Q"), AIMessage)
    assert_type(await llm.aresume("Q", AIMessage("A")), AIMessage)


# Metadata and errors --------------------------------------------------------------


def of_error(error: ContinuationError) -> None:
    """Read an error."""
    assert_type(error.partial, AIMessage)
    assert_type(error.segments, list[dict[str, Any]])


def of_message(continuation: Continuation, message: AIMessage) -> None:
    """Read a message's metadata."""
    assert_type(continuation["complete"], bool)
    assert_type(continuation["segments"], list[SegmentEntry])
    assert_type(ContinuationReport.from_message(message), ContinuationReport)
    continuation["completed"]  # type: ignore[typeddict-item] # pyright: ignore[reportGeneralTypeIssues]


anything: Any = llm.guardrails
