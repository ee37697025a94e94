"""ChatBedrock's own form of a usage, which its messages have beside LangChain's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.content.incoming import cached_tokens

if TYPE_CHECKING:
    from langchain_core.messages.ai import UsageMetadata


def in_own_form(usage: UsageMetadata) -> dict[str, int]:
    """Return a usage by ChatBedrock's names, which count the cache separately.

    Args:
        usage: A usage in LangChain's form, whose `input_tokens` include the cache.
    """
    read, written = cached_tokens(usage)
    return {
        "prompt_tokens": usage["input_tokens"] - read - written,
        "completion_tokens": usage["output_tokens"],
        "cache_read_input_tokens": read,
        "cache_write_input_tokens": written,
        "total_tokens": usage["total_tokens"],
    }
