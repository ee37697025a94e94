"""InvokeModel with Amazon Nova's body, which is nearly that of Converse.

NOVA-1. Request and response have Converse's shapes, with binary data in base64. Source:
    AWS's user guide of Nova, "Complete request schema".
NOVA-2. `maxTokens` may also be called `max_new_tokens`, and `topP` and `topK` `top_p`
    and `top_k`. Source: AWS's published samples.
NOVA-3. Each event of ConverseStream is sent as a `chunk` with `{name: payload}` in
    base64. Source: public programs that read it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.wire import frames
from langchain_bedrock_continue.local.wire.converse import ConverseEvents
from langchain_bedrock_continue.local.wire.errors import validation_error

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.backend import Json
    from langchain_bedrock_continue.local.wire.converse import Event

_OTHER_NAMES = {"max_new_tokens": "maxTokens", "top_p": "topP", "top_k": "topK"}
_OF_CONVERSE = ("maxTokens", "stopSequences", "temperature", "topP")
_SHARED = ("messages", "system", "toolConfig")


def nova_converse_body(body: Json) -> Json:
    """Translate a body of InvokeModel for Nova to a body of Converse.

    Args:
        body: Body in Nova's shape.

    Raises:
        ServiceError: The body has no messages, or a malformed `inferenceConfig`.
    """
    config = body.get("inferenceConfig") or {}
    if "messages" not in body or not isinstance(config, dict):
        raise validation_error("Malformed input request: #: required key [messages]")
    named = {_OTHER_NAMES.get(name, name): value for name, value in config.items()}
    inference = {name: named[name] for name in _OF_CONVERSE if name in named}
    rest = {name: named[name] for name in named if name not in _OF_CONVERSE}
    return {
        **{name: body[name] for name in _SHARED if name in body},
        "inferenceConfig": inference,
        "additionalModelRequestFields": {"inferenceConfig": rest} if rest else {},
    }


class NovaEvents(ConverseEvents):
    """Converts pieces to the events of InvokeModelWithResponseStream for Nova.

    Attributes:
        headers: Additional HTTP headers of the response.
    """

    headers: tuple[tuple[str, str], ...] = (
        ("x-amzn-bedrock-content-type", "application/json"),
    )

    def frame(self, event: Event) -> bytes:
        """Encode an event as a frame (NOVA-3).

        Args:
            event: One of this object's events.
        """
        name, payload = event
        raw = json.dumps({name: payload}, ensure_ascii=False).encode()
        return frames.event("chunk", {"bytes": b64encode(raw).decode()})
