"""The command of a recorded sweep is the one that was typed, as long as it finds the records."""

from pathlib import Path

import pytest

from clip_hparam.records.manifests.manifest import SweepManifest
from clip_hparam.sweep.typed_command import typed_command


def manifest(folder: Path, *command: str) -> SweepManifest:
    return SweepManifest("ab12", "lr", "grid", "2026", (), command=command, folder=str(folder))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sweep.py").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_command_typed_here_is_repeated_word_by_word(checkout: Path) -> None:
    typed = manifest(checkout, "sweep.py", "-m", "lr=1,2")
    assert str(typed_command(typed, Path("runs"))) == "python sweep.py -m lr=1,2"


def test_an_installed_command_is_repeated_as_such(checkout: Path) -> None:
    typed = manifest(checkout, "/env/bin/clip-hparam", "-m", "lr=1,2")
    assert str(typed_command(typed, Path("runs"))) == "clip-hparam sweep -m lr=1,2"


def test_a_command_typed_elsewhere_begins_with_its_folder(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("other"))
    command = typed_command(manifest(checkout, "sweep.py", "-m", "lr=1,2"), checkout / "runs")
    assert str(command) == f"cd {checkout} && python sweep.py -m lr=1,2"


@pytest.mark.parametrize("words", [(), ("machine=slurm_gpu",), ("machine.runs=mine",)])
def test_records_in_another_folder_are_named(words: tuple[str, ...], checkout: Path) -> None:
    command = typed_command(manifest(checkout, "sweep.py", "-m", *words), Path("moved"))
    assert command.overrides[-1] == "machine.runs=moved"


def test_a_script_that_has_gone_is_replaced_by_the_installed_command(checkout: Path) -> None:
    (checkout / "sweep.py").unlink()
    typed = manifest(checkout, "sweep.py", "-m", "lr=1,2")
    assert str(typed_command(typed, Path("runs"))) == "clip-hparam sweep -m lr=1,2"
