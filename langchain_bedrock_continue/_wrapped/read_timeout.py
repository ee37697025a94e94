"""A warning where a blocking call can take longer than the client waits for it.

A response that is not streamed arrives when the last token is written. If that takes
longer than the client's `read_timeout`, botocore sends the request again, and each
generation is billed, although none of them can arrive in time.

TIMEOUT-1. A response takes its `max_tokens` at TOKENS_PER_SECOND. A call without
    `max_tokens` is not judged: its size is the service's.
TIMEOUT-2. It is said once in a process for a model and a `read_timeout`.
"""

from __future__ import annotations

import logging
import math
from typing import Any

TOKENS_PER_SECOND = 128_000 / 3600
"""How fast a response is written: about 36 tokens a second. Anthropic's own SDK expects
128,000 tokens in an hour, where it refuses a blocking call that would take too long."""

RECOMMENDED_SECONDS = 3600
"""The `read_timeout` to begin with (AWS re:Post, "How do I avoid read timeout
errors in Python when I use LLMs in Amazon Bedrock?")."""

logger = logging.getLogger("langchain_bedrock_continue")

_warned: set[tuple[str, float]] = set()


def warn_if_short(client: Any, max_tokens: int | None, model_id: str) -> None:
    """Log a warning if a blocking call can take longer than its client waits.

    Args:
        client: A boto3 client; nothing is known of any other.
        max_tokens: The `max_tokens` of the call, or None.
        model_id: The model's id.
    """
    seconds = read_timeout_of(client)
    if seconds is None or max_tokens is None:
        return
    expected = max_tokens / TOKENS_PER_SECOND
    key = model_id, seconds
    if expected <= seconds or key in _warned:
        return
    _warned.add(key)
    logger.warning(
        "read_timeout: the client waits %g seconds for a response, and max_tokens=%d "
        "can take %d (at %d tokens a second). botocore then sends the request again, "
        "and each generation is billed. Create the model with "
        "config=botocore.config.Config(read_timeout=%d), or stream, or lower "
        "max_tokens: the answer is continued.",
        seconds,
        max_tokens,
        math.ceil(expected),
        round(TOKENS_PER_SECOND),
        RECOMMENDED_SECONDS,
    )


def read_timeout_of(client: Any) -> float | None:
    """Return how many seconds a client waits for a response; None if unknown."""
    config = getattr(getattr(client, "meta", None), "config", None)
    seconds = getattr(config, "read_timeout", None)
    return float(seconds) if isinstance(seconds, (int, float)) else None


def forget_warnings() -> None:
    """Forget what was said. Tests call it."""
    _warned.clear()
