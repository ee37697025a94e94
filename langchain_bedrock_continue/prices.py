"""Prices of tokens on Amazon Bedrock, and what a usage costs at them.

`PRICES` is a small table with a date, for `ContinuationReport`. Prices change: check
them against AWS's price list, and give your own where they differ.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.messages.ai import UsageMetadata

AS_OF = "2026-11"
"""When the prices of `PRICES` were read, as year and month."""

WORDS_OF_USER_TURN = 60
"""About how many input tokens a user turn of ours has, with its quote."""

ECHO = 20
"""About how many tokens the echo has that a user turn asks for."""

REGIONAL = 1.1
"""The factor for a regional inference profile of Claude from 4.5 on (`us.`, `eu.`)."""

_MILLION = 1_000_000
_REGIONAL_ID = re.compile(r"(?:^|/)(?:us|eu|au|jp|apac|us-gov)\.anthropic\.")
_FIRST_REGIONAL = (4, 5)
_VERSION = re.compile(r"claude-[a-z]+-(\d{1,2})(?:-(\d{1,2}))?(?!\d)")


@dataclass(frozen=True)
class Prices:
    """Prices of a model, in US dollars per million tokens.

    Attributes:
        input: Of input tokens that are neither read from the cache nor written to it.
        output: Of output tokens.
        cache_read: Of input tokens that are read from the prompt cache.
        cache_write: Of those that are written to it for five minutes.
        cache_write_1h: Of those that are written to it for an hour.
    """

    input: float
    output: float
    cache_read: float
    cache_write: float
    cache_write_1h: float

    @classmethod
    def claude(cls, input: float, output: float, read: float = 0.1) -> Prices:  # noqa: A002 - the word for it
        """Return the prices of a Claude, whose cache is priced in multiples of input.

        Args:
            input: The price of input tokens.
            output: The price of output tokens.
            read: The price of a cache read, as a multiple of `input`.
        """
        return cls(input, output, read * input, 1.25 * input, 2 * input)

    @classmethod
    def nova(cls, input: float, output: float) -> Prices:  # noqa: A002 - the word for it
        """Return the prices of an Amazon Nova: a cache write costs nothing extra.

        Args:
            input: The price of input tokens.
            output: The price of output tokens.
        """
        return cls(input, output, input / 4, input, input)

    def times(self, factor: float) -> Prices:
        """Return all prices, multiplied.

        Args:
            factor: The factor.
        """
        prices = {name: value * factor for name, value in vars(self).items()}
        return Prices(**prices)

    def input_cost(self, usage: UsageMetadata) -> float:
        """Return what the input costs, in US dollars.

        Args:
            usage: The usage. Written tokens whose lifetime is not reported, as by
                ChatBedrock, are counted at the price for five minutes.
        """
        details: Any = usage.get("input_token_details") or {}
        read = details.get("cache_read") or 0
        hour = details.get("ephemeral_1h_input_tokens") or 0
        minutes = details.get("ephemeral_5m_input_tokens") or 0
        minutes += details.get("cache_creation") or 0
        rest = usage["input_tokens"] - read - hour - minutes
        total = rest * self.input + read * self.cache_read
        total += minutes * self.cache_write + hour * self.cache_write_1h
        return total / _MILLION

    def cost(self, usage: UsageMetadata) -> float:
        """Return what a usage costs, in US dollars.

        Args:
            usage: The usage; see `input_cost`.
        """
        return self.input_cost(usage) + usage["output_tokens"] * self.output / _MILLION

    def user_turn_is_cheaper_from(self, size: float) -> int | None:
        """Return from how many segments on a cached user turn costs less than prefills.

        Both read the prompt from the cache. A prefill pays for the whole text before it
        each time, at the full price. In a user turn the text before is read from the
        cache, and only the last segment is written to it; but it also pays for the
        words of the user turn, and for the echo as output.

        Args:
            size: The mean output tokens of a segment.

        Returns:
            The number of segments, or None if it never does.
        """
        # Over n segments, with a = what a user turn adds to the history, in tokens:
        # prefills pay input * size * n (n - 1) / 2; user turns pay write * a + output *
        # ECHO for each of n - 1 continuations, and read * a * (n - 1) (n - 2) / 2.
        added = size + ECHO + WORDS_OF_USER_TURN
        growth = (self.input * size - self.cache_read * added) / 2
        if growth <= 0:
            return None
        once = self.cache_write * added + self.output * ECHO - self.cache_read * added
        return max(2, math.floor(once / growth) + 1)


PRICES: Mapping[str, Prices] = {
    "claude-opus-5-5": Prices.claude(4, 20, read=0.05),
    "claude-opus-5": Prices.claude(5, 25),
    "claude-opus-4-8": Prices.claude(5, 25),
    "claude-opus-4-7": Prices.claude(5, 25),
    "claude-opus-4-6": Prices.claude(5, 25),
    "claude-opus-4-5": Prices.claude(5, 25),
    "claude-opus-4-1": Prices.claude(15, 75),
    "claude-opus-4": Prices.claude(15, 75),
    "claude-sonnet-5-5": Prices.claude(2, 10, read=0.05),
    "claude-sonnet-5": Prices.claude(2, 10),
    "claude-sonnet-4-6": Prices.claude(3, 15),
    "claude-sonnet-4-5": Prices.claude(3, 15),
    "claude-sonnet-4": Prices.claude(3, 15),
    "claude-3-7-sonnet": Prices.claude(3, 15),
    "claude-3-5-sonnet": Prices.claude(3, 15),
    "claude-haiku-5-5": Prices.claude(0.1, 0.5),
    "claude-haiku-4-5": Prices.claude(1, 5),
    "claude-3-5-haiku": Prices.claude(0.8, 4),
    "claude-fable-5-1": Prices.claude(10, 50, read=0.025),
    "claude-fable-5": Prices.claude(10, 50),
    "claude-mythos-5-1": Prices.claude(10, 50, read=0.025),
    "nova-premier": Prices.nova(2.5, 12.5),
    "nova-pro": Prices.nova(0.8, 3.2),
    "nova-lite": Prices.nova(0.06, 0.24),
    "nova-micro": Prices.nova(0.035, 0.14),
    "nova-2-lite": Prices.nova(0.3, 2.5),
}
"""Prices on demand by a part of the model id, without surcharges for long contexts.

Source: a public price list that cites AWS's service offers, read in `AS_OF`."""


def prices_of(model_id: str, table: Mapping[str, Prices] = PRICES) -> Prices | None:
    """Return the prices of a model, or None if the table does not have it.

    A newer version does not inherit the prices of the one before.

    Args:
        model_id: A model id, with or without a region prefix or an ARN around it.
        table: Prices by a part of the model id.
    """
    for name in sorted(table, key=len, reverse=True):
        if re.search(rf"{re.escape(name)}(?!-?[0-9]{{1,2}}(?![0-9]))", model_id):
            factor = REGIONAL if _is_regional(model_id) else 1
            return table[name].times(factor) if factor != 1 else table[name]
    return None


def _is_regional(model_id: str) -> bool:
    """Return True for a regional profile of a Claude that has a price of its own."""
    found = _VERSION.search(model_id)
    version = (int(found[1]), int(found[2] or 0)) if found else (0, 0)
    return version >= _FIRST_REGIONAL and bool(_REGIONAL_ID.search(model_id))
