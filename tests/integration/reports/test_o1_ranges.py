"""Draws stay in their range, have the digits that resolve it, and reach both ends."""

import re
from pathlib import Path

import pytest
from support.cli import Done, plan


def plan_draws(kind: str, knob: str, text: str, folder: Path) -> Done:
    """Plan a design of 64 draws from a range."""
    (folder / "sweeps").mkdir()
    (folder / "sweeps" / "mine.yaml").write_text(
        "# @package hydra.sweeper.design\n"
        f'name: mine\nkind: {kind}\nsamples: 64\nknobs: {{{knob}: "{text}"}}\n'
    )
    words = (f"--config-dir={folder}", "-m", "sweeps=mine", "dry_run=true", "epochs=5")
    return plan(*words, cwd=folder, COLUMNS="200")


@pytest.mark.parametrize(
    ("kind", "knob", "text"),
    [
        ("random", "ema_decay", "interval(0.9999, 0.99999)"),
        ("sobol", "beta2", "interval(0.9995, 0.99999)"),
        ("random", "lr", "interval(0.00012345, 0.00013)"),
        ("sobol", "ema_decay", "interval(0.99, 1)"),
    ],
)
def test_draws_fill_their_range(kind: str, knob: str, text: str, tmp_path: Path) -> None:
    low, high = (float(end) for end in re.findall(r"[\d.]+", text))
    done = plan_draws(kind, knob, text, tmp_path)
    assert done.code == 0, done.err
    values = [float(v) for v in re.findall(rf" {knob}=([^ ,]+) *$", done.out, re.MULTILINE)]
    assert len(set(values)) >= 40
    assert low <= min(values) <= low + 0.1 * (high - low)
    assert high - 0.1 * (high - low) <= max(values) <= high
    assert 1 not in values


@pytest.mark.parametrize(
    ("kind", "knob", "text", "sentence"),
    [
        ("random", "lr", "interval(1e-2, 1e-3)", "try interval(1e-3,1e-2)"),
        ("sobol", "batch_size", "interval(5, 11)", "try 'batch_size=int(interval(5,11))'"),
        ("random", "ema_decay", "interval(0.9, 1.1)", "ema_decay=1.1 is outside"),
        ("sobol", "lr", "interval(0.1, inf)", "is not a range"),
    ],
)
def test_wrong_range_is_one_sentence(
    kind: str, knob: str, text: str, sentence: str, tmp_path: Path
) -> None:
    done = plan_draws(kind, knob, text, tmp_path)
    assert done.code == 2
    assert sentence in done.err
    assert done.err.count("\n") == 1
