"""This package and its peers: whatever else gets a truncated answer in full.

| peer | how it continues |
|---|---|
| boto3, Converse | a loop over `converse` or `converse_stream`, by prefill |
| boto3, InvokeModel | the same over `invoke_model` |
| ChatBedrockConverse | a loop over the chat model, by prefill |
| ChatBedrock | the same over InvokeModel |
| this package | by itself; round ChatBedrockConverse, and round ChatBedrock |

Each is a function that takes a question and yields the text as it comes. An answer that
is not streamed is a single text for each segment.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.config import Config
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.messages import AIMessage, HumanMessage

from langchain_bedrock_continue import ChatBedrockContinuing
from tests.support.raw_clients import client_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

PREFILL_MODEL = "us.anthropic.claude-3-5-sonnet-20241022-v2:0"
USER_TURN_MODEL = "us.anthropic.claude-sonnet-4-6"
POOL = Config(max_pool_connections=1024, retries={"total_max_attempts": 1})
MAX_CONTINUATIONS = 2000


logging.getLogger("langchain_aws").setLevel(logging.ERROR)


class Sync(NamedTuple):
    """A peer for sync callers.

    Attributes:
        streams: Yields the chunks of a streamed answer.
        whole: Yields the segments of one that is not streamed.
    """

    streams: Callable[[str], Iterator[str]]
    whole: Callable[[str], Iterator[str]]


class Async(NamedTuple):
    """A peer for async callers; see `Sync`."""

    streams: Callable[[str], AsyncIterator[str]]
    whole: Callable[[str], AsyncIterator[str]]


class Peers:
    """All peers, with segments of one size."""

    def __init__(self, url: str, size: int, *, loops: bool = True) -> None:
        """Make the models.

        Args:
            url: The endpoint.
            size: `max_tokens` of a segment.
            loops: Whether a chat model that does not continue by itself is called in a
                loop. Otherwise it is called once, and nothing is done with its chunks.
        """
        self._url, self._size = url, size
        bare = ChatBedrockConverse(**self._arguments())
        by_invoke_model = ChatBedrock(**self._arguments(), region="us-east-1")
        own = self.own()
        own_by_invoke_model = ChatBedrockContinuing(
            llm=ChatBedrock(**self._arguments(), region="us-east-1"),
            max_continuations=MAX_CONTINUATIONS,
        )
        self.sync: dict[str, Sync] = {
            "boto3, Converse": self._converse(),
            "boto3, InvokeModel": self._invoke_model(),
            "ChatBedrockConverse": (loop_over if loops else one_turn)(bare),
            "ChatBedrock": (loop_over if loops else one_turn)(by_invoke_model),
            "this package": one_turn(own),
            "this package, ChatBedrock": one_turn(own_by_invoke_model),
        }
        self.asynchronous: dict[str, Async] = {
            "boto3, Converse, threads": on_threads(self.sync["boto3, Converse"]),
            "ChatBedrockConverse": (async_loop_over if loops else one_async_turn)(bare),
            "this package": one_async_turn(own),
        }

    def own(self, **kwargs: Any) -> ChatBedrockContinuing:
        """Make a model of this package, with a client of its own."""
        return ChatBedrockContinuing(
            **{
                **self._arguments(),
                "max_continuations": MAX_CONTINUATIONS,
                "max_concurrency": 1024,
                **kwargs,
            }
        )

    def _arguments(self) -> dict[str, Any]:
        client = client_for(self._url, POOL)
        return {
            "model": PREFILL_MODEL,
            "max_tokens": self._size,
            "client": client,
            "bedrock_client": client,
        }

    def _converse(self) -> Sync:
        client, size = client_for(self._url, POOL), self._size

        def asked(question: str, text: str) -> dict[str, Any]:
            messages = [{"role": "user", "content": [{"text": question}]}]
            if text:
                messages += [{"role": "assistant", "content": [{"text": text}]}]
            return {
                "modelId": PREFILL_MODEL,
                "messages": messages,
                "inferenceConfig": {"maxTokens": size},
            }

        def streams(question: str) -> Iterator[str]:
            text, reason = "", "max_tokens"
            while reason == "max_tokens":
                said = client.converse_stream(**asked(question, text))
                parts = []
                for event in said["stream"]:
                    if "contentBlockDelta" in event:
                        part = event["contentBlockDelta"]["delta"]["text"]
                        parts.append(part)
                        yield part
                    elif "messageStop" in event:
                        reason = event["messageStop"]["stopReason"]
                text += "".join(parts)

        def whole(question: str) -> Iterator[str]:
            text, reason = "", "max_tokens"
            while reason == "max_tokens":
                said = client.converse(**asked(question, text))
                reason = said["stopReason"]
                part = said["output"]["message"]["content"][0]["text"]
                text += part
                yield part

        return Sync(streams, whole)

    def _invoke_model(self) -> Sync:
        client, size = client_for(self._url, POOL), self._size

        def asked(question: str, text: str) -> dict[str, Any]:
            messages = [{"role": "user", "content": question}]
            if text:
                messages += [{"role": "assistant", "content": text}]
            body = {
                "anthropic_version": "bedrock-2023-05-31",
                "messages": messages,
                "max_tokens": size,
            }
            return {"modelId": PREFILL_MODEL, "body": json.dumps(body)}

        def streams(question: str) -> Iterator[str]:
            text, reason = "", "max_tokens"
            while reason == "max_tokens":
                said = client.invoke_model_with_response_stream(**asked(question, text))
                parts = []
                for frame in said["body"]:
                    event = json.loads(frame["chunk"]["bytes"])
                    if event["type"] == "content_block_delta":
                        parts.append(event["delta"]["text"])
                        yield parts[-1]
                    elif event["type"] == "message_delta":
                        reason = event["delta"]["stop_reason"]
                text += "".join(parts)

        def whole(question: str) -> Iterator[str]:
            text, reason = "", "max_tokens"
            while reason == "max_tokens":
                said = client.invoke_model(**asked(question, text))
                message = json.loads(said["body"].read())
                reason = message["stop_reason"]
                text += message["content"][0]["text"]
                yield message["content"][0]["text"]

        return Sync(streams, whole)


# LangChain's models, in a loop of the caller's own ------------------------------------


def is_truncated(message: Any) -> bool:
    """Return True if a response was truncated, by either API's stop reason."""
    metadata = message.response_metadata
    return "max_tokens" in {metadata.get("stopReason"), metadata.get("stop_reason")}


def conversation(question: str, text: str) -> list[Any]:
    """Return a question, with the answer so far as a prefill."""
    asked: list[Any] = [HumanMessage(question)]
    return [*asked, AIMessage(text)] if text else asked


def loop_over(llm: Any) -> Sync:
    """Return the loop that a caller writes round a chat model."""

    def streams(question: str) -> Iterator[str]:
        text, truncated = "", True
        while truncated:
            truncated, parts = False, []
            for chunk in llm.stream(conversation(question, text)):
                parts.append(chunk.text)
                truncated = truncated or is_truncated(chunk)
                yield parts[-1]
            text += "".join(parts)

    def whole(question: str) -> Iterator[str]:
        text, truncated = "", True
        while truncated:
            message = llm.invoke(conversation(question, text))
            truncated = is_truncated(message)
            text += message.text
            yield message.text

    return Sync(streams, whole)


def async_loop_over(llm: Any) -> Async:
    """Return the same loop for an async caller."""

    async def streams(question: str) -> AsyncIterator[str]:
        text, truncated = "", True
        while truncated:
            truncated, parts = False, []
            async for chunk in llm.astream(conversation(question, text)):
                parts.append(chunk.text)
                truncated = truncated or is_truncated(chunk)
                yield parts[-1]
            text += "".join(parts)

    async def whole(question: str) -> AsyncIterator[str]:
        text, truncated = "", True
        while truncated:
            message = await llm.ainvoke(conversation(question, text))
            truncated = is_truncated(message)
            text += message.text
            yield message.text

    return Async(streams, whole)


# This package -------------------------------------------------------------------------


def one_turn(llm: Any) -> Sync:
    """Return the calls of a model that continues by itself."""

    def streams(question: str) -> Iterator[str]:
        return (chunk.text for chunk in llm.stream(question))

    def whole(question: str) -> Iterator[str]:
        yield llm.invoke(question).text

    return Sync(streams, whole)


def one_async_turn(llm: Any) -> Async:
    """Return the same calls for an async caller."""

    async def streams(question: str) -> AsyncIterator[str]:
        async for chunk in llm.astream(question):
            yield chunk.text

    async def whole(question: str) -> AsyncIterator[str]:
        yield (await llm.ainvoke(question)).text

    return Async(streams, whole)


# Threads ------------------------------------------------------------------------------


def on_threads(peer: Sync) -> Async:
    """Return a sync peer as an async caller runs it: each answer on one thread."""

    def run(function: Callable[[str], Iterator[str]]) -> Any:
        async def read(question: str) -> AsyncIterator[str]:
            for part in await asyncio.to_thread(lambda: list(function(question))):
                yield part

        return read

    return Async(run(peer.streams), run(peer.whole))
