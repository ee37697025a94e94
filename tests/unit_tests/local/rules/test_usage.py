"""Prompt caching and usage (USAGE)."""

from dataclasses import replace
from typing import Any

from langchain_bedrock_continue.local.backend import Request
from langchain_bedrock_continue.local.rules.usage import (
    LOOKBACK_BLOCKS,
    InputUsage,
    PromptCache,
    cache_points,
)

Json = dict[str, Any]
MODEL = "anthropic.claude-3-5-sonnet-20241022-v2:0"


def point(ttl: str = "") -> Json:
    return {"cachePoint": {"type": "default", **({"ttl": ttl} if ttl else {})}}


def words(request: Request) -> int:
    """Count the words of a request: any prefix of it has fewer."""
    blocks = [*(request.tool_config or {}).get("tools", []), *request.system]
    blocks += [b for m in request.messages for b in m["content"]]
    return sum(len(b.get("text", "").split()) for b in blocks)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Endpoint:
    """The cache, cached as the endpoint asks it."""

    def __init__(
        self,
        minimum: int = 1,
        lookback: int = LOOKBACK_BLOCKS,
        maximum: int | None = None,
    ) -> None:
        self.lookback = lookback
        self.clock = Clock()
        self.cache = PromptCache(self.clock)
        self.minimum, self.maximum = minimum, maximum

    def account(self, request: Request) -> InputUsage:
        points = cache_points(request, self.lookback)
        tokens = [words(p.prefix) for p in points]
        return self.cache.account(
            points, tokens, words(request), self.minimum, self.maximum
        )


def request(*messages: list[Json], **fields: Any) -> Request:
    roles = ("user", "assistant")
    turns = [{"role": roles[i % 2], "content": m} for i, m in enumerate(messages)]
    return Request(MODEL, turns, 100, **fields)


def text(words: str) -> Json:
    return {"text": words}


def test_without_a_cache_point_nothing_is_cached() -> None:
    endpoint = Endpoint()
    for _ in range(2):
        assert endpoint.account(request([text("a b c")])) == InputUsage(3)


def test_a_prefix_is_written_once_and_then_read() -> None:
    """USAGE-2, USAGE-3, USAGE-4."""
    endpoint = Endpoint()
    cached = request([text("a b c"), point(), text("d e")])
    assert endpoint.account(cached) == InputUsage(2, 0, (("5m", 3),))
    assert endpoint.account(cached) == InputUsage(2, 3)
    assert endpoint.account(replace(cached, model_id="other")).read == 0


def test_the_usage_of_converse() -> None:
    """USAGE-4."""
    assert InputUsage(2, 3, (("1h", 4), ("5m", 5))).usage(6) == {
        "inputTokens": 2,
        "outputTokens": 6,
        "totalTokens": 20,
        "cacheReadInputTokens": 3,
        "cacheWriteInputTokens": 9,
        "cacheDetails": [
            {"ttl": "1h", "inputTokens": 4},
            {"ttl": "5m", "inputTokens": 5},
        ],
    }
    assert "cacheDetails" not in InputUsage(2, 3).usage(6)


def test_a_prefix_expires_and_a_read_renews_it() -> None:
    """USAGE-2."""
    endpoint = Endpoint()
    cached = request([text("a b c"), point()])
    endpoint.account(cached)
    for _ in range(3):
        endpoint.clock.now += 299
        assert endpoint.account(cached).read == 3
    endpoint.clock.now += 301
    assert endpoint.account(cached).written == (("5m", 3),)


def test_a_prefix_with_a_ttl_of_an_hour() -> None:
    endpoint = Endpoint()
    cached = request([text("a b c"), point("1h")])
    endpoint.account(cached)
    endpoint.clock.now += 3599
    assert endpoint.account(cached).read == 3


def test_a_prefix_below_the_minimum_is_not_cached() -> None:
    """USAGE-3."""
    endpoint = Endpoint(minimum=4)
    cached = request([text("a b c"), point(), text("d")])
    for _ in range(2):
        assert endpoint.account(cached) == InputUsage(4)


def test_a_prefix_above_the_maximum_is_not_cached() -> None:
    """USAGE-3."""
    endpoint = Endpoint(maximum=3)
    cached = request([text("a b c"), point(), text("d"), point()])
    assert endpoint.account(cached) == InputUsage(1, 0, (("5m", 3),))
    assert endpoint.account(cached) == InputUsage(1, 3)


def test_tools_system_and_messages_in_this_order() -> None:
    """USAGE-1."""
    endpoint = Endpoint()
    cached = request(
        [text("f"), point("5m"), text("g")],
        tool_config={"tools": [text("a b"), point("1h")]},
        system=[text("c d e"), point("1h")],
    )
    assert endpoint.account(cached) == InputUsage(1, 0, (("1h", 5), ("5m", 1)))
    # Another system prompt leaves only the tools.
    other = replace(cached, system=[text("x y z"), point("1h")])
    assert endpoint.account(other) == InputUsage(1, 2, (("1h", 3), ("5m", 1)))
    # Other tools leave nothing.
    changed = replace(cached, tool_config={"tools": [text("A b"), point("1h")]})
    assert endpoint.account(changed).read == 0


def test_a_cache_point_that_moves_finds_its_prefix() -> None:
    """USAGE-5."""
    endpoint = Endpoint()
    endpoint.account(request([text("a b"), point()]))
    longer = request([text("a b")], [text("c")], [text("d e"), point()])
    assert endpoint.account(longer) == InputUsage(0, 2, (("5m", 3),))


def test_other_models_look_up_cache_points_only() -> None:
    """USAGE-5."""
    endpoint = Endpoint(lookback=0)
    endpoint.account(request([text("a b"), point()]))
    moved = request([text("a b")], [text("c"), point()])
    assert endpoint.account(moved).read == 0
    kept = request([text("a b"), point()], [text("c"), point()])
    assert endpoint.account(kept).read == 3


def test_a_prefix_too_many_blocks_before_is_not_found() -> None:
    """USAGE-5."""
    for between, found in ((20, 2), (21, 0)):
        endpoint = Endpoint()
        endpoint.account(request([text("a b"), point()]))
        far = request([text("a b"), *[text("c")] * between, point()])
        assert endpoint.account(far).read == found


def test_a_text_that_grows_is_another_block() -> None:
    endpoint = Endpoint()
    question = [text("q"), point()]
    endpoint.account(request(question, [text("one two"), point()]))
    grown = endpoint.account(request(question, [text("one two three"), point()]))
    assert grown == InputUsage(0, 1, (("5m", 3),))


def test_a_cache_point_before_every_block_is_ignored() -> None:
    assert cache_points(request([point(), text("a")]), 0) == []
