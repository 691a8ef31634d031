"""The package imports each module that registers a table; tables are found by name."""

from pathlib import Path

import pytest
from support.trial_factory import Ladder

from clip_hparam.analysis import tables
from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.tables.cell_table import Table, cell_table
from clip_hparam.analysis.tables.registry import (
    FRAME_TABLES,
    SWEEP_TABLES,
    frame_table,
    sweep_table,
    tables_of,
)

HELPERS = {
    "__init__",
    "conclusions",
    "footnotes",
    "recipe_file",
    "registry",
    "render",
    "cell_table",
}


def test_package_imports_every_module_that_registers_a_table() -> None:
    modules = {path.stem for path in Path(tables.__file__).parent.glob("*.py")}
    assert set(tables.__all__) == (modules - HELPERS) | {"derived"}  # of the sub-room


def test_registered_table_appears_for_sweeps_of_its_kind(
    ladder: Ladder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clip_hparam.analysis.tables.registry.SWEEP_TABLES", dict(SWEEP_TABLES))

    def copy(frames: Frames, ablation: Ablation) -> Table:
        return cell_table(frames, ablation)._replace(name=f"{ablation.name}_copy")

    sweep_table("copy", "ladder")(copy)
    sweep_table("other", "factorial")(copy)
    names = [table.name for table in tables_of(ladder.runs.frames(), "ladder")]
    assert names == ["ladder", "ladder_classes", "ladder_copy"]


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="table classes is registered twice"):
        sweep_table("classes")(SWEEP_TABLES["classes"].create)
    with pytest.raises(ValueError, match="table systems is registered twice"):
        frame_table("systems")(FRAME_TABLES["systems"])
