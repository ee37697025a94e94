"""Keeps the citations of a response that is one cited text.

ChatBedrockConverse returns a blocking response of one text block as a string, without
its citations. A segment often is one block, where the whole answer has more.

LONE-1. Such a response gets an empty text block, so that it is returned as a list. The
    block is removed from the message. The core turns an answer of one block into a
    string again, as ChatBedrockConverse does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage


class LoneCitationsClient:
    """A client of the Bedrock runtime, for one blocking call."""

    def __init__(self, client: Any) -> None:
        """Wrap a client.

        Args:
            client: A boto3 client of the Bedrock runtime. Never changed.
        """
        self._client = client
        self._has_added = False

    def converse(self, **call: Any) -> Any:
        """Call Converse (LONE-1)."""
        response = self._client.converse(**call)
        blocks = _cited_text_in(response)
        if not blocks:
            return response
        self._has_added = True
        message = {**response["output"]["message"], "content": [*blocks, {"text": ""}]}
        return {**response, "output": {**response["output"], "message": message}}

    def without_added(self, message: AIMessage) -> AIMessage:
        """Return the message of the response without the block that was added."""
        content = message.content
        if not (self._has_added and isinstance(content, list)):
            return message
        return message.model_copy(update={"content": content[:1]})

    def __getattr__(self, name: str) -> Any:
        """Return what the client has."""
        return getattr(self._client, name)


def _cited_text_in(response: Any) -> list[Any]:
    """Return the content of a response, if that is one text with citations."""
    if not isinstance(response, dict):
        return []
    message = (response.get("output") or {}).get("message") or {}
    content: list[Any] = message.get("content") or []
    return content if len(content) == 1 and "citationsContent" in content[0] else []
