"""The rules PULSE-1 and PULSE-2: when a stream shows a sign of life."""

from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.record.pulse import SECONDS, Pulse

STEPS = st.lists(st.tuples(st.floats(0, 3 * SECONDS), st.booleans()), max_size=30)


@given(STEPS)
def test_pulse_1_no_arrival_is_silent_longer_than_allowed(
    steps: list[tuple[float, bool]],
) -> None:
    now = 0.0
    pulse = Pulse(lambda: now)
    shown_at = 0.0
    for waited, has_shown in steps:
        now += waited
        due = pulse.is_due(has_shown=has_shown)
        assert due == (not has_shown and now - shown_at >= SECONDS)
        if due or has_shown:
            shown_at = now


def test_where_no_time_passes_none_is_due() -> None:
    pulse = Pulse(lambda: 0.0)
    assert not any(pulse.is_due(has_shown=False) for _ in range(9))
