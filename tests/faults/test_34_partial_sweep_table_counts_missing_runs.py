"""A table of an incomplete sweep counts missing runs and has no mean for their cell."""

from pathlib import Path

from support.cli import clip_hparam, records


def test_missing_run_is_counted_and_its_cell_has_no_mean(sweep_copy: Path) -> None:
    (records(sweep_copy)[0].folder / "result.json").unlink()
    table = clip_hparam("tables", "lr", cwd=sweep_copy)
    assert table.code == 0
    text = (sweep_copy / "results" / "lr.md").read_text()
    assert "3 of 4 runs of sweep lr" in text
    assert "1 of 2 runs are done, so there is no mean yet" in text
    assert clip_hparam("tables", "lr", "--strict", cwd=sweep_copy).code == 4
