"""Usage over the segments of a turn: two sums for two readers.

USAGE-SUM-1. `billed` is the sum over all calls: what the bill says.
USAGE-SUM-2. `response` is the size of one response that was not truncated: the first
    call's input, and the output of all segments but those that a retry replaced. It is
    what context management needs.
USAGE-SUM-3. A segment whose usage is unknown adds nothing, and nothing is estimated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages.ai import UsageMetadata, add_usage

if TYPE_CHECKING:
    from collections.abc import Sequence


def billed(usages: Sequence[UsageMetadata]) -> UsageMetadata | None:
    """Return the sum over all calls (USAGE-SUM-1)."""
    total: UsageMetadata | None = None
    for usage in usages:
        total = add_usage(total, usage)
    return total


def response(usages: Sequence[UsageMetadata]) -> UsageMetadata | None:
    """Return the usage of one response that was not truncated (USAGE-SUM-2)."""
    if not usages:
        return None
    first = usages[0]
    total = billed([_output_only(usage) for usage in usages]) or first
    total["input_tokens"] = first["input_tokens"]
    total["total_tokens"] = first["input_tokens"] + total["output_tokens"]
    if "input_token_details" in first:
        total["input_token_details"] = first["input_token_details"]
    return total


def _output_only(usage: UsageMetadata) -> UsageMetadata:
    output = usage["output_tokens"]
    only = UsageMetadata(input_tokens=0, output_tokens=output, total_tokens=output)
    if "output_token_details" in usage:
        only["output_token_details"] = usage["output_token_details"]
    return only
