"""Names and starts of ids find the newest sweep, its cells and a trial."""

import pytest

from clip_hparam.records.manifests.lookup import find_cells, find_trial_id, name_in_older_sweep
from clip_hparam.records.manifests.manifest import ManifestCell, SweepManifest
from clip_hparam.records.manifests.names import newest_by_name


def cell(label: str, *ids: str) -> ManifestCell:
    return ManifestCell(label, (), dict(enumerate(ids)))


def sweep(name: str, created: str, *cells: ManifestCell) -> SweepManifest:
    return SweepManifest(f"id of {name} {created}", name, "grid", created, cells)


def test_newest_manifest_of_a_name_counts() -> None:
    old, new = (
        sweep("lr", "2026-01-01", cell("a", "t1")),
        sweep("lr", "2026-01-02", cell("a", "t2")),
    )
    assert newest_by_name([new, old]) == {"lr": new}
    assert find_cells([new, old], "a") == find_cells([new, old], "lr/a") == [(new, new.cells[0])]
    assert find_cells([new, old], f"{old.sweep_id}/a") == [(old, old.cells[0])]


def test_cell_of_an_older_sweep_is_named_by_the_id_of_the_newest_that_has_it() -> None:
    days = ("2026-01-01", "2026-01-02", "2026-01-03")
    sweeps = [sweep("lr", day, cell(label, day)) for day, label in zip(days, "aab", strict=True)]
    for name in ("a", "lr/a"):
        assert find_cells(sweeps, name) == []
        assert name_in_older_sweep(sweeps, name) == f"{sweeps[1].sweep_id}/a"
    assert find_cells(sweeps, name_in_older_sweep(sweeps, "lr/a")) == [
        (sweeps[1], sweeps[1].cells[0])
    ]
    assert name_in_older_sweep(sweeps, "lr/c") == name_in_older_sweep(sweeps, "wd/a") == ""


def test_label_in_several_sweeps_needs_the_sweep_unless_the_trials_are_the_same() -> None:
    first, second = sweep("lr", "1", cell("a", "t1", "t2")), sweep("wd", "2", cell("a", "t1"))
    same = sweep("copy", "3", cell("a", "t2", "t1"))
    with pytest.raises(ValueError, match="several sweeps have a cell a: type SWEEP/a"):
        find_cells([first, second], "a")
    assert find_cells([first, second], "wd/a") == [(second, second.cells[0])]
    assert len(find_cells([first, same], "a")) == 2


def test_label_may_hold_a_slash() -> None:
    manifest = sweep("lr", "1", cell("recipe=a/b", "t1"))
    assert find_cells([manifest], "recipe=a/b") == find_cells([manifest], "lr/recipe=a/b")
    assert find_cells([manifest], "lr/a") == find_cells([manifest], "") == []


def test_start_of_a_trial_id_must_be_unique() -> None:
    assert find_trial_id(["abc", "abd", "b"], "b") == "b"
    assert find_trial_id(["abc"], "x") is None
    with pytest.raises(ValueError, match="2 trials start with ab: abc, abd"):
        find_trial_id(["abc", "abd"], "ab")
