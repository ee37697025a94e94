"""The rule of the context window: input and `max_tokens` together fit into it.

It is checked after the others, because it needs the number of input tokens.

WINDOW-1. A prompt that exceeds the window by itself is refused with the text of the
    model's family.
WINDOW-2. So is a `max_tokens` that is more than the prompt leaves. For Nova no report
    of this refusal is known, so the local endpoint has none.
WINDOW-3. That the default counts where the request has no `max_tokens` is a guess.

Sources of the texts: public reports of live calls, and the list of texts that
langchain-aws recognizes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.wire.errors import (
    VENDOR_PREFIX,
    validation_error,
)

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.rules.models import ModelRules


def check_context_window(tokens: int, max_tokens: int, model: ModelRules) -> None:
    """Check that a request fits into the model's context window.

    Args:
        tokens: Input tokens of the request.
        max_tokens: Output tokens that the request may have.
        model: Rules of the model.

    Raises:
        ServiceError: It does not fit. Of `InvokeModel`, the text has the same prefix.
    """
    window = model.context_window
    if window is None:
        return
    if tokens > window:
        raise validation_error(_too_long(tokens, window, model))
    if tokens + max_tokens > window and not model.is_nova:
        raise validation_error(
            VENDOR_PREFIX + _no_room(tokens, max_tokens, window, model)
        )


def _too_long(tokens: int, window: int, model: ModelRules) -> str:
    if model.is_claude:
        return f"{VENDOR_PREFIX}prompt is too long: {tokens} tokens > {window} maximum"
    if model.is_nova:
        return (
            "Input Tokens Exceeded: Number of input tokens exceeds maximum length. "
            "Please update the input to try again."
        )
    return (
        f"This model's maximum context length is {window} tokens. Please reduce the "
        "length of the prompt"
    )


def _no_room(tokens: int, max_tokens: int, window: int, model: ModelRules) -> str:
    if model.is_claude:
        return (
            f"input length and `max_tokens` exceed context limit: {tokens} + "
            f"{max_tokens} > {window}, decrease input length or `max_tokens` and try "
            "again"
        )
    return (
        f"'max_tokens' or 'max_completion_tokens' is too large: {max_tokens}. This "
        f"model's maximum context length is {window} tokens and your request has "
        f"{tokens} input tokens ({max_tokens} > {window} - {tokens}). "
        f"(parameter=max_tokens, value={max_tokens})"
    )
