"""Ranges for property tests, and their text."""

from hypothesis import strategies as st

from clip_hparam.design.ranges import Range

ranges = st.builds(
    lambda low, factor, log, whole: Range(float(low), float(low * factor), log, whole),
    st.integers(1, 50),
    st.integers(2, 9),
    st.booleans(),
    st.booleans(),
)


def format_range(drawn: Range) -> str:
    text = f"interval({drawn.low:g}, {drawn.high:g})"
    text = f"int({text})" if drawn.whole else text
    return f"tag(log, {text})" if drawn.log else text
