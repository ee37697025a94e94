"""`LlamaBackend`: a real small model, run by llama.cpp in this process."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from langchain_bedrock_continue.local.backend import Fault, Finish
from langchain_bedrock_continue.local.llama import server as llama_server
from langchain_bedrock_continue.local.llama.answer_parser import AnswerParser
from langchain_bedrock_continue.local.llama.chat_template import (
    SPLIT,
    UnsupportedContentError,
    to_chat,
)
from langchain_bedrock_continue.local.llama.tool_choice import (
    answer_schema,
    forced_name,
    tool_names,
)
from langchain_bedrock_continue.local.llama.weights import WEIGHTS, weights_path

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from langchain_bedrock_continue.local.backend import Json, Piece, Request
    from langchain_bedrock_continue.local.llama.chat_template import Chat

_STOP_REASONS = {"eos": "end_turn", "word": "stop_sequence", "limit": "max_tokens"}
_SEED = 0
_TOO_LONG = "Input is too long for requested model."
_REPLACEMENT_CHARACTER = "\ufffd"


class LlamaBackend:
    """A backend with a real model, which gives the same request the same answer.

    Sampling is greedy by default, and seeded if the request has a temperature. One
    answer is generated at a time; further requests wait. A prefill is continued
    exactly: it is in the prompt byte for byte, in the open assistant turn.

    llama.cpp handles stop sequences. It withholds the beginning of a stop sequence at
    the end of a truncated text, so a continuation still finds the stop sequence.

    Args:
        weights: `"smollm2"` (98 MB, English, no tools), `"qwen2.5-coder"` (491 MB,
            calls tools) or `"qwen2.5-coder-1.5b"` (1.1 GB, calls tools, about 7
            tokens a second), downloaded at first use; or the path of a GGUF file whose
            chat template llama.cpp supports.
        threads: Number of compute threads. A second one makes such small models a
            quarter faster, but the threads spin and slow down everything else.
        context_tokens: Size of the context window, in tokens.
        batch_tokens: How many tokens of a prompt are computed at once. With 1 an answer
            is reproducible to the bit. With more a prompt is read faster, and an answer
            may differ with what the prompt cache holds.

    Raises:
        ValueError: `weights` is neither a known name nor a file, or `threads` or
            `batch_tokens` is below 1.
    """

    def __init__(
        self,
        weights: str | Path = "smollm2",
        *,
        threads: int = 1,
        context_tokens: int = 8192,
        batch_tokens: int = 1,
    ) -> None:
        """Check the settings; see the class. `start` loads the weights."""
        for name, number in {"threads": threads, "batch_tokens": batch_tokens}.items():
            if number < 1:
                raise ValueError(f"{name}={number}: must be at least 1.")
        if weights not in WEIGHTS and not Path(weights).is_file():
            known = ", ".join(map(repr, WEIGHTS))
            raise ValueError(
                f"weights={str(weights)!r}: no such file, and not {known}."
            )
        self._weights = weights
        self._threads = threads
        self._context_tokens = context_tokens
        self._batch_tokens = batch_tokens
        self._settings: llama_server.ServerSettings | None = None
        self._address = ""
        self._native_tools = False

    def start(self) -> None:
        """Load the weights, and download them first if necessary. Blocking.

        Raises:
            WeightsUnavailableError: The weights cannot be downloaded.
            ImportError: xllamacpp is not installed.
            ValueError: llama.cpp cannot load the file.
        """
        if self._settings:
            return
        named = isinstance(self._weights, str) and self._weights in WEIGHTS
        path = weights_path(str(self._weights)) if named else Path(self._weights)
        settings = llama_server.ServerSettings(
            path.resolve(), self._threads, self._context_tokens, self._batch_tokens
        )
        self._address = llama_server.acquire(settings)
        self._settings = settings
        self._native_tools = self._template_supports_tools()

    def close(self) -> None:
        """Stop the model and free its memory; idempotent."""
        settings, self._settings = self._settings, None
        if settings:
            llama_server.release(settings)

    async def count_tokens(self, request: Request) -> int:
        """Count the tokens of the prompt, including the prefill.

        A request with unsupported content counts 0; `generate` refuses it.

        Args:
            request: The request, or a prefix of one.

        Raises:
            RuntimeError: The backend is not running.
        """
        with contextlib.suppress(UnsupportedContentError):
            chat = to_chat(request, native_tools=self._native_tools)
            async with self._client() as client:
                return len(await _prompt(client, chat))
        return 0

    async def generate(self, request: Request) -> AsyncGenerator[Piece, None]:
        """Generate the answer, piece by piece. Closing the iterator stops the model.

        A request that the model cannot answer gets a `Fault`.

        Args:
            request: The request.

        Raises:
            RuntimeError: The backend is not running.
        """
        try:
            chat = to_chat(request, native_tools=self._native_tools)
            schema = answer_schema(request.tool_config, request.output_config)
        except ValueError as error:
            yield _refusal(str(error))
            return
        try:
            async with self._client() as client:
                body = _body(request, await _prompt(client, chat), schema)
                async with contextlib.aclosing(_events(client, body)) as events:
                    async for piece in _pieces(request, events):
                        yield piece
        except _LlamaError as error:
            yield _fault(error.error)

    def _client(self) -> httpx.AsyncClient:
        """Return a new client: a client belongs to the running event loop."""
        if not self._settings:
            raise RuntimeError("LlamaBackend is not running: call start() first.")
        # No proxies and no certificates: the server is in this process.
        transport = httpx.AsyncHTTPTransport(verify=False, trust_env=False)
        # An answer may take any time.
        timeout = httpx.Timeout(None)
        return httpx.AsyncClient(
            transport=transport, base_url=self._address, timeout=timeout
        )

    def _template_supports_tools(self) -> bool:
        with httpx.Client(trust_env=False, base_url=self._address) as client:
            props = client.get("/props").raise_for_status().json()
        return bool(props["chat_template_caps"]["supports_tools"])


class _LlamaError(Exception):
    """An error that llama.cpp's server reports."""

    def __init__(self, error: Json) -> None:
        super().__init__(error)
        self.error = error


async def _post(client: httpx.AsyncClient, path: str, body: Json) -> Any:
    response = await client.post(path, json=body)
    if response.is_error:
        raise _LlamaError(response.json()["error"])
    return response.json()


async def _prompt(client: httpx.AsyncClient, chat: Chat) -> list[int]:
    """Return the tokens of the prompt: the template's text, then the prefill."""
    body: Json = {"messages": chat.messages}
    if chat.tools:
        body["tools"] = chat.tools
    applied = await _post(client, "/apply-template", body)
    tokens: list[int] = []
    for part in (applied["prompt"] + (chat.prefill or "")).split(SPLIT):
        content = {"content": part, "add_special": not tokens, "parse_special": True}
        tokens += (await _post(client, "/tokenize", content))["tokens"]
    return tokens


def _body(request: Request, prompt: list[int], schema: Any) -> Json:
    body: Json = {
        "prompt": prompt,
        "n_predict": request.max_tokens,
        "stop": [text for text in request.stop_sequences if text],
        "temperature": request.temperature or 0,
        "seed": _SEED,
        "stream": True,
        "cache_prompt": True,
    }
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if "top_k" in request.additional_fields:
        body["top_k"] = request.additional_fields["top_k"]
    if schema is not None:
        body["json_schema"] = schema
    return body


async def _events(client: httpx.AsyncClient, body: Json) -> AsyncGenerator[Json, None]:
    async with client.stream("POST", "/completion", json=body) as response:
        if response.is_error:
            raise _LlamaError(json.loads(await response.aread())["error"])
        incomplete = b""
        # Not aiter_lines(): it also splits at U+2028, which JSON need not escape.
        async for data in response.aiter_bytes():
            *lines, incomplete = (incomplete + data).split(b"\n")
            for line in lines:
                if line.startswith(b"data: "):
                    yield _event(line[len(b"data: ") :])


def _event(line: bytes) -> Json:
    event: Json = json.loads(line)
    if "error" in event:
        raise _LlamaError(event["error"])
    return event


async def _pieces(
    request: Request, events: AsyncIterator[Json]
) -> AsyncGenerator[Piece, None]:
    config = request.tool_config
    parser = AnswerParser(tool_names(config), forced=forced_name(config))
    async for event in events:
        # Invalid UTF-8 from the model: llama.cpp withholds incomplete characters at the
        # end only (BACKEND-4).
        for piece in parser.feed(event["content"].replace(_REPLACEMENT_CHARACTER, "")):
            yield piece
        if event["stop"]:
            for piece in parser.end(truncated=event["stop_type"] == "limit"):
                yield piece
            yield Finish(_stop_reason(event, parser), event["tokens_predicted"])


def _stop_reason(event: Json, parser: AnswerParser) -> str:
    if event["truncated"]:
        return "model_context_window_exceeded"
    if event["stop_type"] == "eos" and parser.called:
        return "malformed_tool_use" if parser.malformed else "tool_use"
    return _STOP_REASONS[event["stop_type"]]


def _fault(error: Json) -> Fault:
    if error["type"] == "exceed_context_size_error":
        return _refusal(_TOO_LONG)
    if error["type"] == "invalid_request_error":
        return _refusal(str(error["message"]))
    return Fault("exception", "InternalServerException", str(error["message"]), 500)


def _refusal(message: str) -> Fault:
    return Fault("exception", "ValidationException", message, 400)
