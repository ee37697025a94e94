"""The arithmetic of the benchmarks of costs. Nothing is measured here."""

import pytest

from tests.benchmarks.costs import cpu, moments
from tests.benchmarks.costs.at_once import Run, row
from tests.benchmarks.costs.colours import COLOURS, DARK, LIGHT, contrast
from tests.benchmarks.costs.endpoint import Asked, segment, token
from tests.benchmarks.costs.figures import Rounds, percentile, table
from tests.benchmarks.costs.input_price import by_segments

READABLE = 3.0
"""WCAG 2.2, 1.4.11: the least contrast of graphics and of large text."""


def rounds(**costs: list[float]) -> Rounds:
    found = Rounds()
    for name, each in costs.items():
        for cost in each:
            found.add(name, cost)
    return found


def test_a_ratio_is_of_the_least_costs() -> None:
    found = rounds(bare=[2.0, 9.0, 4.0], own=[6.0, 9.0, 3.0])
    assert found.ratio("own", "bare") == 1.5
    assert found.median_ratio("own", "bare") == 1.0


def test_a_row_says_the_cost_in_its_unit() -> None:
    first, second = rounds(bare=[2e-5], own=[3e-5]).rows("bare", 1e6)
    assert first == {"name": "bare", "cost": 20.0, "ratio": 1.0, "median_ratio": 1.0}
    assert (second["cost"], second["ratio"]) == (30.0, 1.5)


@pytest.mark.parametrize(("share", "value"), [(0.1, 1), (0.5, 5), (0.9, 9), (1.0, 10)])
def test_a_percentile_is_the_least_value_that_suffices(
    share: float, value: int
) -> None:
    assert percentile(range(10, 0, -1), share) == value


def test_growth_is_beside_that_of_the_bare_loop() -> None:
    names = ("ChatBedrockConverse, invoke", "this package, invoke")
    costs = {(names[0], 10): 2, (names[1], 10): 3, (names[0], 99): 4, (names[1], 99): 9}
    rows = cpu.with_growth(
        [
            {"name": name, "segments": n, "cost": cost}
            for (name, n), cost in costs.items()
        ]
    )
    assert [(each["growth"], each["beside"]) for each in rows] == [
        *[(1.0, 1.0), (1.0, 1.0)],
        *[(2.0, 1.0), (3.0, 1.5)],
    ]


def test_the_gaps_are_the_longest_waits() -> None:
    assert moments.gaps([0.1, 0.2, 0.5, 0.6, 0.8], 2) == pytest.approx([0.2, 0.3])


def test_a_missing_seam_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="fewer than 1 seams"):
        moments.gaps([0.1, 0.11, 0.12], 1)


def test_the_wall_time_is_beside_the_larger_of_latency_and_cpu() -> None:
    def beside(cpu_seconds: float) -> float:
        runs = [Run(3.5, cpu_seconds, 0.5, 5_000_000), Run(9.5, 9.0, 6.5, 1)]
        found: float = row("own", 0.5, 16, runs, 16)["beside"]
        return found

    assert beside(0.1) == 2.0  # three seconds, beside 3 x 0.5 s
    assert beside(3.0) == 1.0


def test_prices_are_one_row_for_all_numbers_of_segments() -> None:
    shared = {"family": "f", "strategy": "s", "caching": "5m", "prompt": 1}
    rows = [
        {**shared, "segments": 2, "price": 0.5, "floor": 0.4, "ratio": 1.25},
        {**shared, "segments": 12, "price": 0.2, "floor": 0.1, "ratio": 2.0},
    ]
    line = {**shared, "2": 0.5, "12": 0.2, "floor": 0.1, "ratio": 2.0}
    assert by_segments(rows) == [line]


def test_a_table_is_aligned() -> None:
    assert table(
        [{"name": "a", "n": 1024}, {"name": "bcd", "n": None}], {"name": "", "n": "n"}
    ).splitlines() == [
        "|     |     n |",
        "|-----|-------|",
        "| a   | 1,024 |",
        "| bcd |     - |",
    ]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("page", [LIGHT, DARK])
def test_the_plots_are_readable_on_both_pages(colour: str, page: str) -> None:
    assert contrast(colour, page) >= READABLE


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


# The endpoint -------------------------------------------------------------------------


def body(*texts: str, size: int) -> dict[str, object]:
    roles = ("user", "assistant")
    messages = [
        {"role": roles[at % 2], "content": [{"text": text}]}
        for at, text in enumerate((Asked(60).question, *texts))
    ]
    return {"messages": messages, "inferenceConfig": {"maxTokens": size}}


def text(first: int, end: int) -> str:
    return "".join(token(n, 6) for n in range(first, end))


def test_the_endpoint_continues_a_prefill() -> None:
    said = segment(body(text(0, 20), size=20))
    assert "".join(said.tokens) == text(20, 40)
    assert said.stop_reason == "max_tokens"


def test_the_endpoint_ends_the_answer() -> None:
    said = segment(body(text(0, 40), size=20))
    assert "".join(said.tokens) == text(40, 60)[:-1] + "."
    assert said.stop_reason == "end_turn"


def test_the_endpoint_repeats_what_a_user_turn_quotes() -> None:
    quote = text(18, 20).strip()
    ask = f"Your reply was cut off by a length limit:\n\n{quote}\n\nWrite the rest."
    said = segment(body(text(0, 20), ask, size=5))
    assert said.echoed == [quote[:5], quote[5:]]
    assert "".join(said.tokens) == quote + text(20, 23)
    later = segment(body(text(0, 20), ask, quote + text(20, 23), ask, size=5))
    assert later.seen == 23


@pytest.mark.parametrize("width", [6, 54])
def test_segments_of_20_tokens_end_in_a_letter(width: int) -> None:
    """So that a prefill is all that came: no blank, no mark, is asked for again."""
    ends = [token(n, width)[-1] for n in range(19, 20_000, 20)]
    assert all(end.isalpha() for end in ends)


def test_no_two_words_are_equal() -> None:
    words = text(0, 20_000).split()
    assert len(set(words)) > 19_900  # a mark in place of a letter makes few equal
