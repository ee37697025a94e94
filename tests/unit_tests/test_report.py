"""The report of a continued answer, and the prices that it knows."""

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

from langchain_bedrock_continue import ContinuationReport, Prices
from langchain_bedrock_continue.prices import (
    ECHO,
    PRICES,
    WORDS_OF_USER_TURN,
    prices_of,
)

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ONE = Prices.claude(1, 5)
"""Prices in dollars per million, whose input price is the unit."""


def usage(size: int, output: int, **details: int) -> UsageMetadata:
    known: Any = details
    return UsageMetadata(
        input_tokens=size,
        output_tokens=output,
        total_tokens=size + output,
        input_token_details=known,
    )


def entry(strategy: str | None, size: int | None, output: int, **more: Any) -> Any:
    return {
        "stop_reason": "max_tokens",
        "input_tokens": size,
        "output_tokens": output,
        "max_tokens": 100,
        "request_id": "r",
        "strategy": strategy,
        **more,
    }


PREFILLS = (
    entry(None, 1_000, 100),
    entry("prefill", 1_100, 100, cache_write_tokens=1_000),
    entry("prefill", 1_200, 50, cache_read_tokens=1_000),
)
USER_TURNS = (
    entry(None, 1_000, 100),
    entry("user_turn", 1_160, 100, dropped_tokens=10),
    entry("user_turn", 1_320, 60, dropped_tokens=10),
)
RETRIED = (
    entry(None, 1_000, 100),
    entry("retry", 1_000, 400, max_tokens=400),
    entry("user_turn", 1_500, 90, problem="first_line"),
    entry("user_turn", 1_500, 70, problem="ended_early"),
)


def message_of(*entries: Any, model: str | None = SONNET, **turn: Any) -> AIMessage:
    known = {} if model is None else {"model_name": model}
    billed = usage(
        sum(one["input_tokens"] or 0 for one in entries),
        sum(one["output_tokens"] for one in entries),
        cache_read=sum(one.get("cache_read_tokens", 0) for one in entries),
        cache_creation=sum(one.get("cache_write_tokens", 0) for one in entries),
    )
    response = usage(1_000, billed["output_tokens"])
    continuation = {
        "complete": True,
        "ended_by": "model",
        "strategy": None,
        "segments": [*entries],
        "seams": [],
        "billed": billed,
        "response": response,
        **turn,
    }
    return AIMessage("x", response_metadata={**known, "continuation": continuation})


def report_of(*entries: Any, **kwargs: Any) -> ContinuationReport:
    return ContinuationReport.from_message(message_of(*entries), **kwargs)


# The numbers -----------------------------------------------------------------------


def test_the_costs_of_prefills() -> None:
    cost = report_of(*PREFILLS, prices=ONE).cost
    assert cost is not None
    plain = 1_000 + 100 + 200
    cached = 1.25 * 1_000 + 0.1 * 1_000
    assert cost.billed == pytest.approx((plain + cached + 5 * 250) / 1e6)
    assert cost.uncut == pytest.approx((1_000 + 5 * 250) / 1e6)
    assert cost.naive == pytest.approx((3 * 1_000 + 100 + 200 + 5 * 250) / 1e6)


def test_the_costs_of_user_turns() -> None:
    """The echo is paid for, and neither the uncut answer nor the naive loop has it."""
    report = report_of(*USER_TURNS, prices=ONE)
    assert report.echo_tokens == 20
    assert report.cost is not None
    assert report.cost.uncut == pytest.approx((1_000 + 5 * 240) / 1e6)
    assert report.cost.naive == pytest.approx((3_000 + 100 + 190 + 5 * 240) / 1e6)
    assert report.cost.billed == pytest.approx((3_480 + 5 * 260) / 1e6)


def test_what_another_segment_replaced_is_not_in_the_naive_loop() -> None:
    report = report_of(*RETRIED, prices=ONE)
    assert report.cost is not None
    assert report.cost.naive == pytest.approx((1_000 + 1_400 + 5 * 470) / 1e6)


def test_an_answer_in_one_response_costs_the_same_in_all_ways() -> None:
    cost = report_of(entry(None, 1_000, 50), prices=ONE).cost
    assert cost is not None
    assert cost.billed == cost.uncut == cost.naive


def test_the_quota_beside_one_large_request() -> None:
    quota = report_of(*PREFILLS).quota
    assert quota is not None
    assert (quota.reserved, quota.one_request) == (1_300, 1_250)
    quota = report_of(*PREFILLS, one_request_max_tokens=64_000).quota
    assert quota is not None
    assert quota.one_request == 65_000
    assert quota.concurrency == 50


@pytest.mark.parametrize(
    "message",
    [
        message_of(*PREFILLS, model=None),
        message_of(*PREFILLS, model="acme.new-model-v1:0"),
        message_of(*PREFILLS, billed=None, response=None),
        message_of(entry(None, None, 5)),
    ],
)
def test_what_is_not_known_is_left_out(message: AIMessage) -> None:
    report = ContinuationReport.from_message(message)
    assert report.cost is None or report.quota is None
    assert "None" not in str(report)
    assert "None" not in report._repr_html_()


def test_a_message_of_another_model_has_no_report() -> None:
    with pytest.raises(ValueError, match="ChatBedrockContinuing"):
        ContinuationReport.from_message(AIMessage("x"))


@pytest.mark.parametrize("message", [None, "text", {"content": "text"}])
def test_only_a_message_has_a_report(message: Any) -> None:
    with pytest.raises(TypeError, match="message: must be an AIMessage, got "):
        ContinuationReport.from_message(message)


def test_metadata_that_lacks_a_part_is_refused_by_name() -> None:
    turn = {"complete": True, "segments": []}
    message = AIMessage("text", response_metadata={"continuation": turn})
    with pytest.raises(ValueError, match=r"has no .*ended_by, .*seams.*\. Give"):
        ContinuationReport.from_message(message)


# Prices ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model_id", "name", "factor"),
    [
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", 1),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", 1),
        (SONNET, "claude-sonnet-4-5", 1.1),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4", 1),
        ("eu.anthropic.claude-opus-5-5", "claude-opus-5-5", 1.1),
        ("global.anthropic.claude-opus-5-20260301-v1:0", "claude-opus-5", 1),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", "claude-3-7-sonnet", 1),
        ("us.amazon.nova-pro-v1:0", "nova-pro", 1),
        ("us.amazon.nova-2-lite-v1:0", "nova-2-lite", 1),
    ],
)
def test_prices_by_model_id(model_id: str, name: str, factor: float) -> None:
    found = prices_of(model_id)
    assert found is not None
    assert found.input == pytest.approx(PRICES[name].input * factor)
    assert found.output == pytest.approx(PRICES[name].output * factor)


@pytest.mark.parametrize(
    "model_id",
    [
        *("", "us.anthropic.claude-opus-5-6", "us.anthropic.claude-sonnet-4-7"),
        *("us.anthropic.claude-opus-6", "amazon.nova-3-lite-v1:0"),
        *("meta.llama3-3-70b-instruct-v1:0", "anthropic.claude-3-opus-20240229-v1:0"),
    ],
)
def test_a_newer_version_does_not_inherit_a_price(model_id: str) -> None:
    assert prices_of(model_id) is None


def test_the_callers_prices() -> None:
    assert report_of(*PREFILLS, prices=ONE).prices is ONE
    report = ContinuationReport.from_message(
        message_of(*PREFILLS, model="acme.new-model-v1:0"),
        prices={"acme.new-model": ONE},
    )
    assert report.prices == ONE


def test_what_is_written_has_the_price_of_its_lifetime() -> None:
    """langchain-aws reports it by lifetime for Converse, and in one sum otherwise."""
    for name, price in (
        ("cache_creation", 1.25),
        ("ephemeral_5m_input_tokens", 1.25),
        ("ephemeral_1h_input_tokens", 2),
        ("cache_read", 0.1),
    ):
        cost = ONE.input_cost(usage(1_000, 0, **{name: 400}))
        assert cost == pytest.approx((600 + 400 * price) / 1e6)


# User turns and prefills ------------------------------------------------------------


def paid(prices: Prices, size: int, segments: int) -> tuple[float, float]:
    """Return the price of prefills and of user turns, but for the prompt."""
    prefills = user_turns = 0.0
    added = size + ECHO + WORDS_OF_USER_TURN
    for call in range(1, segments):
        prefills += prices.input * size * call
        user_turns += prices.cache_read * added * (call - 1)
        user_turns += prices.cache_write * added + prices.output * ECHO
    return prefills, user_turns


@given(
    st.sampled_from([ONE, Prices.claude(2, 10, 0.05), Prices.nova(1, 4)]),
    st.integers(100, 8_000),
)
def test_where_a_user_turn_becomes_cheaper(prices: Prices, size: int) -> None:
    start = prices.user_turn_is_cheaper_from(size)
    assert start is not None
    prefills, user_turns = paid(prices, size, start)
    assert user_turns < prefills
    if start > 2:
        prefills, user_turns = paid(prices, size, start - 1)
        assert user_turns >= prefills


def test_a_text_that_costs_less_than_the_words_is_never_cheaper() -> None:
    assert Prices.nova(1, 4).user_turn_is_cheaper_from(1) is None


def test_the_report_says_so() -> None:
    start = ONE.user_turn_is_cheaper_from(2_000)
    assert start == 3
    long = [entry(None, 1_000, 2_000), *[entry("prefill", 3_000, 2_000)] * 2]
    report = report_of(*long, prices=ONE)
    assert report.user_turn_is_cheaper_from == start
    assert "From 3 segments of this size on" in str(report)
    assert "strategy=&quot;user_turn&quot;" in report._repr_html_()
    assert "From 3 segments" not in str(report_of(*long[:2], prices=ONE))
    assert "segments of this size" not in str(report_of(*USER_TURNS, prices=ONE))


# How it is shown --------------------------------------------------------------------


TEXT = f"""\
An answer of {SONNET} in 3 segments: complete, ended by model

#  asked for as  input  cache read  cache write  output  echo  max_tokens  stop reason
1  first         1,000  0           0            100     0     100         max_tokens
2  prefill       1,100  0           1,000        100     0     100         max_tokens
3  prefill       1,200  1,000       0            50      0     100         max_tokens

Tokens, billed        3,300 input (1,000 read, 1,000 written), 250 output
Tokens, response      1,000 input, 250 output
Cost, all calls       $0.003900
Cost in one response  $0.002250
Cost without a cache  $0.004550
Quota reserved        1,300 tokens; one request: 1,250 (1.0 times the concurrency)"""


def test_the_text() -> None:
    assert str(report_of(*PREFILLS, prices=ONE)) == TEXT


def test_the_repr_is_short() -> None:
    report = report_of(*PREFILLS)
    assert repr(report) == (
        "ContinuationReport(segments=3, complete=True, ended_by='model')"
    )


class Page(HTMLParser):
    """Reads a page, and checks that each tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        del attrs
        self.open.append(tag)
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_has_what_the_text_has() -> None:
    report = report_of(*USER_TURNS, prices=ONE)
    page = Page(report._repr_html_())
    shown = " ".join(page.texts)
    for line in str(report).splitlines():
        for word in line.split():
            assert word in shown
    assert page.tags.count("table") == 2
    assert page.tags.count("tr") == 1 + 3 + 7


def test_the_page_is_escaped_and_has_no_colours_of_its_own() -> None:
    bad = "<script>alert('x')</script>&"
    entries = [entry(None, 1, 1, stop_reason=bad), entry("retry", 1, 1, error=bad)]
    html = ContinuationReport.from_message(
        message_of(*entries, model=bad, ended_by=bad)
    )._repr_html_()
    assert "script" not in Page(html).tags
    assert bad in "".join(Page(html).texts)
    assert "<script" not in html
    for word in ("black", "white", ": #", "rgb("):
        assert word not in html
    assert html.count("color: inherit") == 1 + 2  # a table needs it of its own
