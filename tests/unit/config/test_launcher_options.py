"""Options of the Slurm launchers: the signal delay, and what is refused."""

import pytest

from clip_hparam.config.launcher_options import (
    LauncherOptions,
    signal_delay_seconds,
    validate_options,
)


@pytest.mark.parametrize("minutes", [1, 2, 7, 8, 60, 10_000])
def test_signal_delay_is_at_most_a_quarter_of_the_time_limit(minutes: int) -> None:
    delay = signal_delay_seconds(LauncherOptions(timeout_min=minutes))
    assert 0 < delay <= min(120, minutes * 60 / 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout_min": 2, "signal_delay_s": 120}, "leaves no time to train in"),
        ({"signal_delay_s": 0}, "leaves no time to train in"),
        ({"max_num_timeout": -1}, "is negative"),
        ({"array_parallelism": 0}, "less than 1"),
    ],
)
def test_contradictory_options_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        validate_options(LauncherOptions(**options))
