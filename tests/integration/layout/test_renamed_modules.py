"""Imports and commands of version 0.1.0 and older work, or one sentence says the new name."""

from importlib import import_module
from pathlib import Path

import pytest
from support.cli import python

from clip_hparam.renamed import NAMES, RENAMED, new_names


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("clip_hparam.fit", "clip_hparam.training.engine"),
        ("clip_hparam.training.checkpoint", "clip_hparam.training.checkpoints.checkpoint"),
        ("clip_hparam.recipe", "clip_hparam.config.recipe"),
        ("clip_hparam.search.search", "clip_hparam.search.spec"),
        ("analysis.frame", "clip_hparam.analysis.frames.frame"),
        ("analysis.tables.table", "clip_hparam.analysis.tables.cell_table"),
        ("analysis.bits", "clip_hparam.analysis.evidence.images.correct_bits"),
        ("clip_hparam.analysis.levels", "clip_hparam.analysis.figures.knob_curve"),
        ("clip_hparam.records.manifest", "clip_hparam.records.manifests.manifest"),
        ("clip_hparam.cli.commands.analysis", "clip_hparam.cli.analysis_app.analysis"),
        ("clip_hparam.sweep.campaign", "clip_hparam.sweep.campaigns.campaign"),
        ("clip_hparam.launch.follow", "clip_hparam.launch.slurm.job_poller"),
        ("clip_hparam.launch.slurm.tracker", "clip_hparam.launch.slurm.job_poller"),
        ("clip_hparam.cli.commands.queries", "clip_hparam.cli.commands.name_lookup"),
        ("clip_hparam.data.transforms.tensor", "clip_hparam.data.transforms.batch_augmentation"),
        ("analysis.stats.screening", "clip_hparam.analysis.stats.error_margin"),
    ],
)
def test_old_import_raises_the_new_name(old: str, new: str) -> None:
    with pytest.raises(ModuleNotFoundError) as error:
        import_module(old)
    message = str(error.value).partition(";")[0]
    assert message.endswith(f"{old.removeprefix('clip_hparam.')} is now {new}")
    assert import_module(new)


@pytest.mark.parametrize("old", RENAMED)
def test_new_name_of_a_renamed_module_exists(old: str) -> None:
    assert new_names(old)


@pytest.mark.parametrize(("old", "new"), NAMES.items())
def test_names_of_old_notebooks_have_their_new_name_in_the_error(old: str, new: str) -> None:
    module, _, name = old.partition(".")
    with pytest.raises(ModuleNotFoundError) as error:
        import_module(f"analysis.{module}")
    assert f"its {name} is clip_hparam.analysis.{new}" in str(error.value).split("; ")
    home, _, attribute = new.rpartition(".")
    assert callable(getattr(import_module(f"clip_hparam.analysis.{home}"), attribute))


def test_unknown_name_is_an_ordinary_error() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'clip_hparam\.nowhere'"):
        import_module("clip_hparam.nowhere")


def test_old_command_prints_the_new_name(tmp_path: Path) -> None:
    done = python("-m", "clip_hparam.pretrain", cwd=tmp_path)
    assert done.code == 1
    assert "clip_hparam.pretrain is now clip_hparam.model.tiny_clip.pretrain" in done.err
    assert done.err.count("\n") == 1


def test_old_attributes_of_packages_import() -> None:
    from clip_hparam.analysis.evidence import ablation_of
    from clip_hparam.analysis.stats import estimate, paired
    from clip_hparam.analysis.tables import Table, difference_text, table, title_of, with_interval
    from clip_hparam.records import Record, read_json, trial_ids, write_json

    assert all(map(callable, (ablation_of, estimate, paired, Table)))
    assert all(map(callable, (difference_text, table, title_of, with_interval)))
    assert all(map(callable, (Record, read_json, trial_ids, write_json)))
