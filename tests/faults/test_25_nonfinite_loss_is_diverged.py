"""A trial diverges: its step is recorded, it has no accuracy in tables, and NaN is null."""

import json
from pathlib import Path

from support.cli import clip_hparam, records, sweep

WORDS = ("-m", "lr=1e-3,1e30", "warmup=0", "epochs=1", "seeds=2")


def test_diverged_trial_is_named_with_its_step(tmp_path: Path) -> None:
    done = sweep(*WORDS, cwd=tmp_path)
    assert done.code == 1
    assert " diverged at step" in done.out
    states = sorted(record.status()["state"] for record in records(tmp_path))
    assert states == ["diverged", "diverged", "done", "done"]
    for path in tmp_path.rglob("*.json*"):
        for line in (
            path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
        ):
            json.loads(line, parse_constant=refuse_constant)
    assert clip_hparam("tables", "lr", cwd=tmp_path).code == 0
    rows = (tmp_path / "results" / "lr.csv").read_text().splitlines()
    head = rows[0].split(",").index("test_acc1")
    assert [bool(row.split(",")[head]) for row in rows[1:3]] == [True, False]


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
