"""The ASGI application: Bedrock's operations, with the rules in front of the backend.

APP-1. A request is recorded, checked against the rules, and its input tokens are
    counted, which have to fit into the context window. Only then the backend gets it.
APP-2. An unknown operation is a 404 that names the known ones.
APP-3. A request is recorded as abandoned if its client disconnects before the end of
    the response.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route

from langchain_bedrock_continue.local.rules.context_window import (
    check_context_window,
)
from langchain_bedrock_continue.local.rules.models import base_model, rules_for
from langchain_bedrock_continue.local.rules.shape import check_shape
from langchain_bedrock_continue.local.rules.table import (
    UNKNOWN_MODEL,
    check,
    check_invoke,
)
from langchain_bedrock_continue.local.rules.thinking_binding import bind_signatures
from langchain_bedrock_continue.local.rules.truncated_calls import (
    fail_truncated_calls,
)
from langchain_bedrock_continue.local.rules.usage import (
    LOOKBACK_BLOCKS,
    PromptCache,
    cache_points,
)
from langchain_bedrock_continue.local.wire.anthropic_events import (
    AnthropicEvents,
    AnthropicMessage,
)
from langchain_bedrock_continue.local.wire.anthropic_request import converse_body
from langchain_bedrock_continue.local.wire.converse import (
    ConverseEvents,
    ConverseMessage,
    request_from,
)
from langchain_bedrock_continue.local.wire.errors import ServiceError, validation_error
from langchain_bedrock_continue.local.wire.http_request import Operation, json_object
from langchain_bedrock_continue.local.wire.nova import NovaEvents, nova_converse_body
from langchain_bedrock_continue.local.wire.responder import Responder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from langchain_bedrock_continue.local.backend import (
        Backend,
        Json,
        Piece,
        Request,
    )
    from langchain_bedrock_continue.local.rules.models import ModelRules
    from langchain_bedrock_continue.local.rules.usage import InputUsage
    from langchain_bedrock_continue.local.wire.http_request import (
        Call,
        Handler,
        RecordedRequest,
    )


@dataclass(frozen=True)
class Models:
    """The models of an endpoint.

    Attributes:
        profiles: Model id by ARN of an application inference profile.
        overrides: Rules by model id, which take precedence over the built-in ones.
    """

    profiles: Mapping[str, str]
    overrides: Mapping[str, ModelRules]

    def rules(self, model_id: str) -> ModelRules:
        """Return the rules of a model.

        Args:
            model_id: Model id, inference profile or ARN.

        Raises:
            ServiceError: Bedrock has no such model.
        """
        rules = rules_for(model_id, profiles=self.profiles, models=self.overrides)
        if rules is None:
            raise validation_error(UNKNOWN_MODEL)
        return rules


class Runtime:
    """The operations of `bedrock-runtime`.

    Args:
        backend: Generates the answers.
        models: The models that the endpoint knows.
        record: Called with every request.
        abandon: Called with every request whose client disconnects early (APP-3).
        clock: Returns the time in seconds, like `time.monotonic`.
    """

    def __init__(
        self,
        backend: Backend,
        models: Models,
        record: Callable[[RecordedRequest], None],
        abandon: Callable[[RecordedRequest], None],
        clock: Callable[[], float],
    ) -> None:
        """Initialize the runtime; see the class."""
        self._backend = backend
        self._models = models
        self._record = record
        self._abandon = abandon
        self._clock = clock
        self._cache = PromptCache(clock)

    def app(self) -> Starlette:
        """Return the ASGI application."""
        operations = {
            "converse": ("Converse", self._converse),
            "converse-stream": ("ConverseStream", self._converse_stream),
            "count-tokens": ("CountTokens", self._count_tokens),
            "invoke": ("InvokeModel", self._invoke),
            "invoke-with-response-stream": (
                "InvokeModelWithResponseStream",
                self._invoke_stream,
            ),
        }
        routes = [
            self._route("POST", f"/model/{{id:path}}/{path}", *operation)
            for path, operation in operations.items()
        ]
        # An operation of `bedrock`, not of `bedrock-runtime`: ChatBedrockConverse calls
        # it to resolve an application inference profile.
        profiles = "/inference-profiles/{id:path}"
        routes += [
            self._route("GET", profiles, "GetInferenceProfile", self._profile),
            self._route("", "/{id:path}", "", _unknown_operation),
        ]
        return Starlette(routes=routes)

    def _route(self, method: str, path: str, name: str, handle: Handler) -> Route:
        async def run(call: Call) -> None:
            if name:
                self._record(call.request)
            try:
                await handle(call)
            except asyncio.CancelledError:
                self._abandon(call.request)
                raise

        methods = [method] if method else None
        return Route(path, Operation(name, run, self._clock), methods=methods)

    async def _converse(self, call: Call) -> None:
        responder = await self._converse_responder(call)
        await responder.send_message(ConverseMessage(), call.response)

    async def _converse_stream(self, call: Call) -> None:
        responder = await self._converse_responder(call, streamed=True)
        await responder.send_stream(call.response)

    async def _converse_responder(
        self, call: Call, *, streamed: bool = False
    ) -> Responder:
        request, model = self._converse_request(call.request)
        usage = await self._input_usage(request, model)
        pieces = self._generate(request, model, streamed=streamed)
        return Responder(pieces, ConverseEvents(), usage.usage, call.elapsed_ms)

    async def _invoke(self, call: Call) -> None:
        responder = await self._invoke_responder(call)
        is_nova = self._models.rules(call.request.model_id).is_nova
        message = ConverseMessage() if is_nova else AnthropicMessage()
        await responder.send_message(message, call.response)

    async def _invoke_stream(self, call: Call) -> None:
        responder = await self._invoke_responder(call, streamed=True)
        await responder.send_stream(call.response)

    async def _invoke_responder(
        self, call: Call, *, streamed: bool = False
    ) -> Responder:
        model_id, body = call.request.model_id, call.request.body
        request, model = self._invoke_request(model_id, body)
        usage = await self._input_usage(request, model)
        events = (
            NovaEvents() if model.is_nova else AnthropicEvents(model_id, usage.usage(0))
        )
        pieces = self._generate(request, model, streamed=streamed)
        return Responder(pieces, events, usage.usage, call.elapsed_ms)

    def _generate(
        self, request: Request, model: ModelRules, *, streamed: bool
    ) -> AsyncIterator[Piece]:
        pieces = self._backend.generate(request)
        if model.truncated_call_fails:
            pieces = fail_truncated_calls(pieces, streamed=streamed)
        return bind_signatures(pieces, request) if model.binds_thinking else pieces

    async def _count_tokens(self, call: Call) -> None:
        sent = call.request
        check_shape(sent.operation, sent.model_id, sent.body)
        ((api, body),) = sent.body["input"].items()
        if api == "converse":
            request, _ = self._checked_request(sent.model_id, body)
        else:
            invoke_body = json_object(b64decode(body["body"]))
            request, _ = self._invoke_request(sent.model_id, invoke_body)
        tokens = await self._backend.count_tokens(request)
        await call.response.body({"inputTokens": tokens})

    async def _profile(self, call: Call) -> None:
        base = base_model(call.request.model_id, self._models.profiles)
        if base is None:
            raise ServiceError("ResourceNotFoundException", UNKNOWN_MODEL)
        await call.response.body(_inference_profile(call.request.model_id, base))

    def _converse_request(self, sent: RecordedRequest) -> tuple[Request, ModelRules]:
        check_shape(sent.operation, sent.model_id, sent.body)
        return self._checked_request(sent.model_id, sent.body)

    def _checked_request(self, model_id: str, body: Json) -> tuple[Request, ModelRules]:
        model = self._models.rules(model_id)
        check(body, model)
        return request_from(model_id, body, model.max_tokens_if_unset), model

    def _invoke_request(
        self, model_id: str, invoke_body: Json
    ) -> tuple[Request, ModelRules]:
        model = self._models.rules(model_id)
        translate = nova_converse_body if model.is_nova else converse_body
        body = translate(invoke_body)
        check_shape("Converse", model_id, body)
        check_invoke(body, model)
        return request_from(model_id, body, model.max_tokens_if_unset), model

    async def _input_usage(self, request: Request, model: ModelRules) -> InputUsage:
        points = cache_points(request, LOOKBACK_BLOCKS if model.is_claude else 0)
        tokens = [await self._backend.count_tokens(point.prefix) for point in points]
        total = await self._backend.count_tokens(request)
        check_context_window(total, request.max_tokens, model)
        return self._cache.account(
            points, tokens, total, model.min_cache_tokens, model.max_cache_tokens
        )


async def _unknown_operation(call: Call) -> None:
    text = (
        f"The local endpoint does not support /{call.request.model_id}. It supports "
        "POST /model/{modelId}/converse, /converse-stream, /count-tokens, /invoke and "
        "/invoke-with-response-stream."
    )
    raise ServiceError("UnknownOperationException", text)


def _inference_profile(arn: str, base: str) -> Json:
    model_arn = f"arn:aws:bedrock:us-east-1::foundation-model/{base}"
    return {
        "inferenceProfileArn": arn,
        "inferenceProfileId": arn.rpartition("/")[2],
        "inferenceProfileName": arn.rpartition("/")[2],
        "models": [{"modelArn": model_arn}],
        "status": "ACTIVE",
        "type": "APPLICATION",
    }
