"""A result is truncated, of another trial or schema, or its siblings changed: it is rerun."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cli import Done, clip_hparam, records, results

from clip_hparam.records.record import Record


def truncate(record: Record) -> None:
    path = record.folder / "result.json"
    os.truncate(path, path.stat().st_size // 2)


def edit(**facts: object) -> Callable[[Record], None]:
    def edit_result(record: Record) -> None:
        path = record.folder / "result.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))

    return edit_result


def change_rows(record: Record) -> None:
    path = record.folder / "metrics.jsonl"
    path.write_text(path.read_text().replace("0", "1", 1))


DAMAGE: dict[str, Callable[[Record], None]] = {
    "cut": truncate,
    "another trial": edit(trial_id="0" * 12),
    "a newer schema": edit(schema=99),
    "rows changed": change_rows,
}


@pytest.mark.parametrize("names", [("cut", "another trial"), ("a newer schema", "rows changed")])
def test_damaged_result_is_quarantined_and_rerun(
    names: tuple[str, str], finished_sweep: Path, sweep_copy: Path, rerun: Callable[[Path], Done]
) -> None:
    by_lr = {(record.recipe() or {})["recipe"]["lr"]: record for record in records(sweep_copy)}
    victims = list(by_lr.values())  # one of each cell
    for name, victim in zip(names, victims, strict=True):
        DAMAGE[name](victim)
    table = clip_hparam("tables", "lr", "--strict", cwd=sweep_copy)
    assert table.code == 4
    for victim in victims:
        assert str(victim.folder.relative_to(sweep_copy)) in table.err
    note = "lr=0.001, lr=0.003: 1 of 2 runs are done, so there is no mean yet"
    assert note in markdown(sweep_copy)
    done = rerun(sweep_copy)
    assert done.code == 0, done.err
    for victim in victims:
        assert "is damaged: set aside as" in (victim.folder / "log.txt").read_text()
        assert len(list(victim.folder.glob("*.damaged-1"))) == 1
    assert results(sweep_copy) == results(finished_sweep)
    assert clip_hparam("tables", "lr", "--strict", cwd=sweep_copy).code == 0


def markdown(folder: Path) -> str:
    return (folder / "results" / "lr.md").read_text()
