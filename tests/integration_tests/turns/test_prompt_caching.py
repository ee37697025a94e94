"""Prompt caching over HTTP, for both classes: what is sent, and what it costs."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from langchain.agents import create_agent
from langchain_aws.middleware.prompt_caching import BedrockPromptCachingMiddleware
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import LocalBedrock, ModelRules, Script
from langchain_bedrock_continue.local.rules.models import rules_for
from langchain_bedrock_continue.local.rules.usage import TTL_SECONDS
from langchain_bedrock_continue.prices import Prices
from tests.support.answers import WEATHER_TOOLS
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance, by_ainvoke, by_invoke, by_stream
from tests.support.messages import continuation
from tests.support.models import (
    NOVA,
    PREFILL_MODEL,
    REFUSING_MODEL,
    chat_bedrock,
    plain_model,
)
from tests.support.scripts import echoing

Json = dict[str, Any]
Make = Callable[..., Any]

CLASSES: dict[str, Make] = {"Converse": plain_model, "ChatBedrock": chat_bedrock}
MODELS = {"prefill": PREFILL_MODEL, "user turn": REFUSING_MODEL}
SIZE = 20
PROMPT = "word " * 1_500
"""A prompt that every model in these tests can cache."""

SMALL_PROMPT = "word " * 100
ANSWER = " ".join(f"Item {number} is fine." for number in range(24)) + "\n"
LONG_ANSWER = " ".join(f"Item {number} is fine." for number in range(600)) + "\n"


@pytest.fixture
def prompt(request: pytest.FixtureRequest) -> str:
    """Return a prompt of this test only: all share one endpoint, and so its cache."""
    return f"{PROMPT}{request.node.nodeid}"


class Way(NamedTuple):
    """A class, and an entrance to ask it by."""

    make: Make
    ask: Entrance


WAYS = {
    "Converse, streamed": Way(plain_model, by_stream),
    "ChatBedrock, blocking": Way(chat_bedrock, by_ainvoke),
    "Converse, blocking": Way(plain_model, by_ainvoke),
    "ChatBedrock, streamed": Way(chat_bedrock, by_stream),
}


@pytest.fixture(params=list(WAYS)[:2])
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param]


@pytest.fixture(params=list(CLASSES))
def make(request: pytest.FixtureRequest) -> Make:
    return CLASSES[request.param]


def wrapped(inner: Any, **fields: Any) -> ChatBedrockContinuing:
    return ChatBedrockContinuing(llm=inner, **fields)


def points(body: Json) -> list[tuple[str, str]]:
    """Return where a request has cache points, with their lifetimes."""
    found: list[tuple[str, str]] = []

    def look(path: str, blocks: Any) -> None:
        for at, block in enumerate(blocks if isinstance(blocks, list) else []):
            if "cachePoint" in block:
                found.append((f"{path}.{at - 1}", block["cachePoint"].get("ttl", "5m")))
            if "cache_control" in block:
                found.append((f"{path}.{at}", block["cache_control"].get("ttl", "5m")))

    look("tools", (body.get("toolConfig") or body).get("tools"))
    look("system", body.get("system"))
    for number, message in enumerate(body["messages"]):
        look(f"{message['role']} {number}", message["content"])
    return found


def sent_points(bedrock: LocalBedrock) -> list[list[tuple[str, str]]]:
    return [points(request.body) for request in bedrock.requests]


def cached(message: AIMessage) -> list[tuple[int, int]]:
    """Return what each segment read from the cache and wrote to it, in tokens."""
    return [
        (one.get("cache_read_tokens", 0), one.get("cache_write_tokens", 0))
        for one in continuation(message)["segments"]
    ]


def inputs(message: AIMessage) -> list[int]:
    return [one["input_tokens"] for one in continuation(message)["segments"]]


# "auto" ----------------------------------------------------------------------------


@pytest.mark.parametrize("by", MODELS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_continuation_reads_the_prompt(
    serve: Serve, way: Way, by: str, prompt: str
) -> None:
    """POINT-1, POINT-6: not before the second one, and the first request is left."""
    bedrock = serve(echoing(ANSWER))
    inner = way.make(bedrock, model=MODELS[by], max_tokens=SIZE)
    way.ask(inner, prompt)
    bare = bedrock.requests[0]
    bedrock.clear()
    message = way.ask(wrapped(inner), prompt)
    bedrock_first = bedrock.requests[0].body
    assert message.text == ANSWER
    assert bedrock_first == bare.body
    assert not points(bare.body)
    first, second, *later = cached(message)
    assert first == (0, 0)
    assert second[0] == 0
    assert second[1] > 1_500
    assert all(read >= 1_500 for read, _ in later)
    assert len(later) > 3


def test_a_prefill_has_a_point_after_the_prompt(
    serve: Serve, way: Way, prompt: str
) -> None:
    """POINT-1: not after the prefill, which is never read again."""
    bedrock = serve(ANSWER)
    llm = wrapped(way.make(bedrock, model=PREFILL_MODEL, max_tokens=SIZE))
    message = way.ask(llm, prompt)
    assert sent_points(bedrock)[1:] == [[("user 0.0", "5m")]] * len(cached(message)[1:])
    written = cached(message)[1][1]
    assert cached(message)[2:] == [(written, 0)] * len(cached(message)[2:])


def test_the_point_of_a_user_turn_moves_with_it(
    serve: Serve, way: Way, prompt: str
) -> None:
    """POINT-1: the answer so far is read, too, and all but the last words of it."""
    bedrock = serve(echoing(ANSWER))
    llm = wrapped(way.make(bedrock, model=REFUSING_MODEL, max_tokens=SIZE))
    message = way.ask(llm, prompt)
    sizes, moves = inputs(message), cached(message)
    for number, sent in enumerate(sent_points(bedrock)[1:], start=1):
        assert sent == [("user 0.0", "5m"), (f"user {2 * number}.0", "5m")]
    for before, size, (read, written) in zip(
        sizes[1:], sizes[2:], moves[2:], strict=False
    ):
        assert read == before
        assert read + written == size


def test_a_prompt_that_is_too_small_gets_no_point(
    serve: Serve, way: Way, prompt: str
) -> None:
    """POINT-5, and a user turn gets one when the answer has made it large enough."""
    bedrock = serve(echoing(LONG_ANSWER))
    small = wrapped(way.make(bedrock, model=PREFILL_MODEL, max_tokens=400))
    way.ask(small, SMALL_PROMPT)
    assert not any(sent_points(bedrock))
    bedrock.clear()
    grows = wrapped(way.make(bedrock, model=REFUSING_MODEL, max_tokens=400))
    message = way.ask(grows, SMALL_PROMPT + prompt[-60:])
    sent = sent_points(bedrock)
    large = [number for number, size in enumerate(inputs(message)) if size > 1_500]
    assert large
    assert not any(sent[:2])
    assert all(sent[number] == [(f"user {2 * number}.0", "5m")] for number in large)
    assert max(read for read, _ in cached(message)) > 1_000


@pytest.mark.parametrize("value", [False, None])
def test_without_caching_nothing_is_added(
    serve: Serve, make: Make, value: bool | None, prompt: str
) -> None:
    """CACHE-1: nor for a model that is not known to have a cache."""
    bedrock = serve(echoing(ANSWER))
    if value is None:
        inner = plain_model(bedrock, model="us.meta.llama3-3-70b-instruct-v1:0")
        llm = wrapped(inner)
    else:
        inner = make(bedrock, model=PREFILL_MODEL, max_tokens=SIZE)
        llm = wrapped(inner, prompt_caching=value)
    assert by_invoke(llm, prompt).text == ANSWER
    assert not any(sent_points(bedrock))


def test_one_call_can_set_it(serve: Serve, make: Make, prompt: str) -> None:
    bedrock = serve(ANSWER)
    llm = wrapped(make(bedrock, model=PREFILL_MODEL, max_tokens=SIZE))
    by_invoke(llm, prompt, prompt_caching=False)
    assert not any(sent_points(bedrock))
    bedrock.clear()
    by_invoke(llm.bind(prompt_caching="1h"), prompt)
    assert sent_points(bedrock)[0] == [("user 0.0", "1h")]
    with pytest.raises(ValueError, match="prompt_caching"):
        by_invoke(llm, prompt, prompt_caching="2h")


def test_auto_stops_after_a_miss(way: Way, prompt: str) -> None:
    """POINT-6: a cache that does not hold is written twice at most."""
    now = [0.0]

    def slow(request: Any) -> Any:
        now[0] += TTL_SECONDS["5m"] + 1
        return ANSWER

    with LocalBedrock(Script(slow), clock=lambda: now[0]) as bedrock:
        inner = way.make(bedrock, model=PREFILL_MODEL, max_tokens=SIZE)
        message = way.ask(wrapped(inner), prompt)
        assert message.text == ANSWER
        assert [written > 0 for _, written in cached(message)][:4] == [
            *(False, True, True, False)
        ]
        assert not any(sent_points(bedrock)[3:])
        bedrock.clear()
        way.ask(wrapped(inner, prompt_caching="5m"), prompt)
        assert all(sent_points(bedrock))


# Explicit values -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "lifetime"), [(True, "5m"), ("5m", "5m"), ("1h", "1h")]
)
def test_the_first_request_has_points_too(
    serve: Serve, make: Make, value: Any, lifetime: str, prompt: str
) -> None:
    bedrock = serve(ANSWER)
    inner = make(bedrock, model=PREFILL_MODEL, max_tokens=SIZE)
    llm = wrapped(inner, prompt_caching=value).bind_tools(WEATHER_TOOLS)
    asked = [SystemMessage(prompt), HumanMessage(prompt)]
    message = by_invoke(llm, asked)
    places = ["tools.1", "system.0", "user 0.0"]
    assert sent_points(bedrock) == [[(place, lifetime) for place in places]] * len(
        bedrock.requests
    )
    first, *later = cached(message)
    assert first[1] > 3_000
    assert later == [(first[1] + first[0], 0)] * len(later)


def test_an_hour_is_five_minutes_where_the_model_has_no_hour(
    serve: Serve, prompt: str
) -> None:
    bedrock = serve(ANSWER)
    for model_id in (NOVA, "us.anthropic.claude-3-7-sonnet-20250219-v1:0"):
        bedrock.clear()
        llm = wrapped(plain_model(bedrock, model=model_id), prompt_caching="1h")
        message = by_invoke(llm, prompt)
        assert message.text == ANSWER
        assert {ttl for sent in sent_points(bedrock) for _, ttl in sent} == {"5m"}
        assert cached(message)[-1][0] > 1_500


def test_nova_gets_points_where_it_accepts_them(serve: Serve, prompt: str) -> None:
    """POINT-2: it does not look back, so the point before the last stays."""
    bedrock = serve(echoing(ANSWER))
    inner = plain_model(bedrock, model=NOVA, max_tokens=SIZE)
    called = AIMessage("", tool_calls=[{"name": "weather", "args": {}, "id": "t"}])
    asked: list[BaseMessage] = [
        *(HumanMessage(prompt), called, ToolMessage(prompt, tool_call_id="t"))
    ]
    llm = wrapped(inner, strategy="user_turn").bind_tools(WEATHER_TOOLS)
    message = by_invoke(llm, asked)
    assert message.text == ANSWER
    sizes, moves = inputs(message), cached(message)
    assert [read for read, _ in moves[2:]] == sizes[1:-1]
    assert len(moves) > 4
    assert not any(
        "tools" in place for sent in sent_points(bedrock) for place, _ in sent
    )


def test_a_far_point_stays_where_the_look_back_ends(
    serve: Serve, make: Make, prompt: str
) -> None:
    """POINT-2: an agent's step with many parallel calls."""
    bedrock = serve("Fine.")
    calls = [{"name": "weather", "args": {}, "id": f"t{i}"} for i in range(25)]
    step = [
        AIMessage("", tool_calls=calls),
        *(ToolMessage("dry", tool_call_id=one["id"]) for one in calls),
    ]
    llm = wrapped(
        make(bedrock, model=PREFILL_MODEL, max_tokens=100), prompt_caching=True
    ).bind_tools(WEATHER_TOOLS)
    asked = [HumanMessage(prompt)]
    first = by_invoke(llm, asked)
    assert cached(by_invoke(llm, [*asked, *step]))[0][0] == inputs(first)[0]


# The caller's own points ------------------------------------------------------------


def own_point(make: Make, text: str, **ttl: str) -> Any:
    if make is plain_model:
        block = {"type": "text", "text": text}
        return [block, {"cachePoint": {"type": "default", **ttl}}]
    return [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]


def test_the_callers_points_are_kept_and_not_doubled(
    serve: Serve, way: Way, prompt: str
) -> None:
    """POINT-3."""
    bedrock = serve(echoing(ANSWER))
    llm = wrapped(way.make(bedrock, model=REFUSING_MODEL, max_tokens=SIZE))
    asked = [HumanMessage(own_point(way.make, prompt))]
    message = way.ask(llm, asked)
    sent = sent_points(bedrock)
    assert sent[0] == [("user 0.0", "5m")]
    assert sent[2] == [("user 0.0", "5m"), ("user 4.0", "5m")]
    first, second, *_ = cached(message)
    assert (first[0], second[0]) == (0, first[1])


def test_a_request_with_four_points_gets_no_more(
    serve: Serve, make: Make, prompt: str
) -> None:
    """POINT-3."""
    bedrock = serve(echoing(ANSWER))
    inner = make(bedrock, model=REFUSING_MODEL, max_tokens=SIZE)
    content = [block for i in range(4) for block in own_point(make, f"{i} {prompt}")]
    message = by_invoke(wrapped(inner, prompt_caching=True), [HumanMessage(content)])
    assert message.text == ANSWER
    assert all(sent == sent_points(bedrock)[0] for sent in sent_points(bedrock))
    assert len(sent_points(bedrock)[0]) == 4


def test_the_lifetime_does_not_grow(serve: Serve, prompt: str) -> None:
    """POINT-4."""
    bedrock = serve(echoing(ANSWER))
    inner = plain_model(bedrock, model=REFUSING_MODEL, max_tokens=SIZE)
    hour = SystemMessage(own_point(plain_model, prompt, ttl="1h"))
    short = SystemMessage(own_point(plain_model, prompt, ttl="5m"))
    llm = wrapped(inner, prompt_caching="1h")
    assert by_invoke(llm, [short, HumanMessage("Hi")]).text == ANSWER
    assert {ttl for sent in sent_points(bedrock) for _, ttl in sent} == {"5m"}
    bedrock.clear()
    with_tools = wrapped(inner, prompt_caching="5m").bind_tools(WEATHER_TOOLS)
    by_invoke(with_tools, [hour, HumanMessage("Hi")])
    assert sent_points(bedrock)[1] == [
        *(("system.0", "1h"), ("user 0.0", "5m"), ("user 2.0", "5m"))
    ]


@pytest.mark.parametrize("by", MODELS)
@pytest.mark.parametrize("ttl", ["5m", "1h"])
def test_cache_control_applies_to_continuations(
    serve: Serve, way: Way, by: str, ttl: str, prompt: str
) -> None:
    """POINT-7: the first request stays langchain-aws's; nothing is written twice."""
    bedrock = serve(echoing(ANSWER))
    inner = way.make(bedrock, model=MODELS[by], max_tokens=SIZE)
    control = {"type": "ephemeral", "ttl": ttl}
    asked = [SystemMessage(prompt), HumanMessage(prompt)]
    way.ask(inner, list(asked), cache_control=control)
    bare = bedrock.requests[0].body
    bedrock.clear()
    message = way.ask(wrapped(inner), list(asked), cache_control=control)
    assert message.text == ANSWER
    assert bedrock.requests[0].body == bare
    sent, (first, *later) = sent_points(bedrock), cached(message)
    assert {lifetime for places in sent for _, lifetime in places} == {ttl}
    assert all(len(places) <= 4 for places in sent)
    assert all(read >= sum(first) for read, _ in later)
    if by == "prefill":
        assert all(written == 0 for _, written in later)


def test_the_middleware_of_langchain_aws(serve: Serve, make: Make, prompt: str) -> None:
    bedrock = serve(ANSWER)
    llm = wrapped(make(bedrock, model=PREFILL_MODEL, max_tokens=SIZE))
    caching = BedrockPromptCachingMiddleware(unsupported_model_behavior="raise")
    agent = create_agent(llm, [], system_prompt=prompt, middleware=[caching])
    asked: Any = {"messages": [HumanMessage(prompt)]}
    message = agent.invoke(asked)["messages"][-1]
    assert message.text == ANSWER
    _, *later = cached(message)
    assert later
    assert all(read > 3_000 and not written for read, written in later)


# What the service refuses -----------------------------------------------------------


@pytest.fixture(scope="module")
def uncached() -> Iterator[LocalBedrock]:
    """Serve models whose prompt cache is not enabled for this account."""
    known = [rules_for(one) for one in MODELS.values()]
    models = {
        one: ModelRules(**{**vars(rules), "caches": False})
        for one, rules in zip(MODELS.values(), known, strict=True)
    }
    with LocalBedrock(echoing(ANSWER), models=models) as bedrock:
        yield bedrock


@pytest.mark.parametrize("by", MODELS)
@pytest.mark.parametrize("value", ["auto", True])
def test_a_refused_point_is_left_out(
    uncached: LocalBedrock, way: Way, by: str, value: Any, prompt: str
) -> None:
    """NEXT-12, CACHE-3: in the same call, and for this model from then on."""
    uncached.clear()
    inner = way.make(uncached, model=MODELS[by], max_tokens=SIZE)
    llm = wrapped(inner, prompt_caching=value, on_limit="raise", stream_recoveries=0)
    message = way.ask(llm, prompt)
    assert message.text == ANSWER
    refused = [bool(one) for one in sent_points(uncached)]
    at = 1 if value == "auto" else 0
    assert refused == [number == at for number in range(len(refused))]
    assert len(refused) == len(cached(message)) + 1
    uncached.clear()
    assert way.ask(llm, prompt).text == ANSWER
    assert not any(sent_points(uncached))


def test_the_callers_own_refused_point_is_the_callers_error(
    uncached: LocalBedrock, make: Make, prompt: str
) -> None:
    asked = [HumanMessage(own_point(make, prompt))]
    llm = wrapped(make(uncached, model=PREFILL_MODEL), prompt_caching=True)
    with pytest.raises(Exception, match="did not allow prompt caching"):
        llm.invoke(asked)


# The price --------------------------------------------------------------------------

FAMILIES = {
    "Claude, prefill": (PREFILL_MODEL, Prices.claude(1, 5)),
    "Claude, user turn": (REFUSING_MODEL, Prices.claude(1, 5)),
    "Claude 5.5": ("us.anthropic.claude-sonnet-5-5", Prices.claude(1, 5, read=0.05)),
    "Fable 5.1": ("us.anthropic.claude-fable-5-1", Prices.claude(1, 5, read=0.025)),
    "Nova": (NOVA, Prices.nova(1, 4)),
}
TOKENS = 12_000


def price(serve: Serve, model_id: str, calls: int, value: Any, prices: Prices) -> float:
    """Return the price of the input of a turn, as a multiple of the prompt's."""
    bedrock = serve(echoing(ANSWER * 4))
    inner = plain_model(bedrock, model=model_id, max_tokens=16)
    fields: Json = {"prompt_caching": value, "max_continuations": calls - 1}
    asked = f"{model_id} {calls} {value} " + "word " * TOKENS
    turn = continuation(by_invoke(wrapped(inner, **fields), asked))
    assert len(turn["segments"]) == calls
    prompt: int = turn["response"]["input_tokens"]
    return prices.input_cost(turn["billed"]) * 1e6 / prompt


@pytest.mark.parametrize("family", FAMILIES)
def test_twelve_segments_cost_nearly_the_least_that_they_can(
    serve: Serve, family: str
) -> None:
    """The prompt is written by the first call and read by eleven, and little else."""
    model_id, prices = FAMILIES[family]
    floors = {"5m": prices.cache_write, "1h": prices.cache_write_1h}
    for value, written in floors.items():
        paid = price(serve, model_id, 12, value, prices)
        assert written + 11 * prices.cache_read < paid
        assert paid < 1.15 * (written + 11 * prices.cache_read)


@pytest.mark.parametrize("family", FAMILIES)
def test_auto_costs_nothing_where_nothing_is_truncated(
    serve: Serve, family: str
) -> None:
    """And at its worst, with one continuation, an eighth more; from two on it is less.

    The words of a user turn come on top, with or without a cache.
    """
    model_id, prices = FAMILIES[family]
    costs = [price(serve, model_id, calls, "auto", prices) for calls in (1, 2, 3)]
    assert costs[0] == 1
    assert costs[1] / 2 < (1 + prices.cache_write) / 2 + 0.01
    assert (1 + prices.cache_write) / 2 <= 1.125
    assert costs[2] / 3 < 0.8


# The sums ---------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["auto", "1h", False])
@pytest.mark.parametrize("by", MODELS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_both_sums_are_exact(
    serve: Serve, way: Way, by: str, value: Any, prompt: str
) -> None:
    """To the token, with what was read and written."""
    bedrock = serve(echoing(ANSWER))
    inner = way.make(bedrock, model=MODELS[by], max_tokens=SIZE)
    llm = wrapped(inner, prompt_caching=value, message_usage="billed")
    message = way.ask(llm, prompt)
    turn, parts = continuation(message), cached(message)
    billed, response = turn["billed"], turn["response"]
    outputs = [one["output_tokens"] for one in turn["segments"]]
    details = billed["input_token_details"]
    written = sum(tokens for name, tokens in details.items() if name != "cache_read")
    assert billed["input_tokens"] == sum(inputs(message))
    assert billed["output_tokens"] == response["output_tokens"] == sum(outputs)
    assert details["cache_read"] == sum(read for read, _ in parts)
    assert written == sum(tokens for _, tokens in parts)
    assert response["input_tokens"] == inputs(message)[0]
    assert message.usage_metadata == billed
    dropped = [one.get("dropped_tokens", 0) for one in turn["segments"]]
    assert any(dropped) == (by == "user turn")
    if by == "user turn":
        texts = [one["join"]["dropped"] for one in turn["segments"][1:]]
        assert all(
            0 < tokens <= characters
            for tokens, characters in zip(dropped[1:], texts, strict=True)
        )
