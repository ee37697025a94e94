"""Bedrock's runtime over HTTP: the operations, and what each request goes through.

A1. A request is recorded, judged by the rules, counted, and only then given to the
    backend.
A2. An operation that is not there is a 404 that names those that are.
A3. A request whose client goes away before its answer's end is recorded as abandoned.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route

from langchain_bedrock_continue.local.rules.models import base_model, rules_for
from langchain_bedrock_continue.local.rules.shape import check_shape
from langchain_bedrock_continue.local.rules.table import (
    UNKNOWN_MODEL,
    check,
    check_vendor,
)
from langchain_bedrock_continue.local.rules.thinking_binding import sealed
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
from langchain_bedrock_continue.local.wire.errors import ServiceError, invalid
from langchain_bedrock_continue.local.wire.http_request import Operation, json_object
from langchain_bedrock_continue.local.wire.responder import Pump

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
    """The models that the endpoint has.

    Attributes:
        profiles: Model id by application-inference-profile ARN.
        overrides: Rules by model id, before all that is known of it.
    """

    profiles: Mapping[str, str]
    overrides: Mapping[str, ModelRules]

    def rules(self, model_id: str) -> ModelRules:
        """What Bedrock allows a model; a `ServiceError` where it has none such."""
        rules = rules_for(model_id, profiles=self.profiles, models=self.overrides)
        if rules is None:
            raise invalid(UNKNOWN_MODEL)
        return rules


class Runtime:
    """The operations of `bedrock-runtime`.

    Args:
        backend: The model.
        models: What is known of model ids.
        record: Takes every request.
        abandon: Takes those whose client went away (A3).
        clock: Seconds, as `time.monotonic` gives them.
    """

    def __init__(
        self,
        backend: Backend,
        models: Models,
        record: Callable[[RecordedRequest], None],
        abandon: Callable[[RecordedRequest], None],
        clock: Callable[[], float],
    ) -> None:
        """See the class."""
        self._backend = backend
        self._models = models
        self._record = record
        self._abandon = abandon
        self._clock = clock
        self._cache = PromptCache(clock)

    def app(self) -> Starlette:
        """The ASGI application."""
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
        # bedrock's, not bedrock-runtime's: ChatBedrockConverse asks it for the model
        # behind an application inference profile.
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
        pump = await self._converse_pump(call)
        await pump.whole(ConverseMessage(), call.reply)

    async def _converse_stream(self, call: Call) -> None:
        pump = await self._converse_pump(call)
        await pump.stream(call.reply)

    async def _converse_pump(self, call: Call) -> Pump:
        request, model = self._converse_request(call.request)
        usage = await self._input_usage(request, model)
        pieces = self._generate(request, model)
        return Pump(pieces, ConverseEvents(), usage.usage, call.elapsed_ms)

    async def _invoke(self, call: Call) -> None:
        pump = await self._invoke_pump(call)
        await pump.whole(AnthropicMessage(), call.reply)

    async def _invoke_stream(self, call: Call) -> None:
        pump = await self._invoke_pump(call)
        await pump.stream(call.reply)

    async def _invoke_pump(self, call: Call) -> Pump:
        model_id, body = call.request.model_id, call.request.body
        request, model = self._anthropic_request(model_id, body)
        usage = await self._input_usage(request, model)
        events = AnthropicEvents(model_id, usage.usage(0))
        pieces = self._generate(request, model)
        return Pump(pieces, events, usage.usage, call.elapsed_ms)

    def _generate(self, request: Request, model: ModelRules) -> AsyncIterator[Piece]:
        pieces = self._backend.generate(request)
        return sealed(pieces, request) if model.binds_thinking else pieces

    async def _count_tokens(self, call: Call) -> None:
        sent = call.request
        check_shape(sent.operation, sent.model_id, sent.body)
        ((kind, asked),) = sent.body["input"].items()
        if kind == "converse":
            request, _ = self._checked(sent.model_id, asked)
        else:
            body = json_object(b64decode(asked["body"]))
            request, _ = self._anthropic_request(sent.model_id, body)
        tokens = await self._backend.count_tokens(request)
        await call.reply.body({"inputTokens": tokens})

    async def _profile(self, call: Call) -> None:
        base = base_model(call.request.model_id, self._models.profiles)
        if base is None:
            raise ServiceError("ResourceNotFoundException", UNKNOWN_MODEL)
        await call.reply.body(_inference_profile(call.request.model_id, base))

    def _converse_request(self, sent: RecordedRequest) -> tuple[Request, ModelRules]:
        check_shape(sent.operation, sent.model_id, sent.body)
        return self._checked(sent.model_id, sent.body)

    def _checked(self, model_id: str, body: Json) -> tuple[Request, ModelRules]:
        model = self._models.rules(model_id)
        check(body, model)
        return request_from(model_id, body, model), model

    def _anthropic_request(
        self, model_id: str, sent: Json
    ) -> tuple[Request, ModelRules]:
        model = self._models.rules(model_id)
        body = converse_body(sent)
        check_shape("Converse", model_id, body)
        check_vendor(body, model)
        return request_from(model_id, body, model), model

    async def _input_usage(self, request: Request, model: ModelRules) -> InputUsage:
        points = cache_points(request, LOOKBACK_BLOCKS if model.is_claude else 0)
        heads = [await self._backend.count_tokens(point.head) for point in points]
        total = await self._backend.count_tokens(request)
        return self._cache.account(points, heads, total, model.min_cache_tokens)


async def _unknown_operation(call: Call) -> None:
    text = (
        f"The local endpoint has no /{call.request.model_id}; it has POST "
        "/model/{modelId}/converse, /converse-stream, /count-tokens, /invoke and "
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
