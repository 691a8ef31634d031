"""A classifier whose head is made of class names, trained by the command line."""

import json
from pathlib import Path

import pytest
from support.cli import SHORT, results, sweep


def test_zero_shot_head_starts_at_zero_shot_accuracy(tmp_path: Path) -> None:
    done = sweep("-m", "head_init=random,zero_shot", "pool=clip", *SHORT, cwd=tmp_path)
    assert done.code == 0, done.err
    sealed = [json.loads(text) for text in results(tmp_path).values()]
    asked, started = (metrics["test_acc1.zero_shot"] for metrics in sealed)
    assert asked > 60
    assert started == pytest.approx(asked, abs=0.5)
