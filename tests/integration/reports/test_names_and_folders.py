"""A misspelled name or folder ends with exit code 2, and commands in messages work as typed."""

import re
import shlex
from pathlib import Path

import pytest
from support.cli import clip_hparam, plan
from support.trial_factory import Runs

VERBS = {
    "status": (),
    "why": ("lr",),
    "retry": (),
    "cancel": ("lr",),
    "gather": (),
    "compare": ("a", "b"),
    "export-recipe": ("lr",),
    "fidelity": (),
    "verify": (),
    "gc": (),
    "pack": (),
    "tables": (),
    "figures": (),
    "report": (),
    "summary": (),
}
"""The commands with --runs, and the names that they need."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the records of the sweep lr, one of whose trials is not done."""
    runs = Runs(tmp_path / "my runs")
    runs.done({"lr": 1e-3}, 0, 97.0)
    runs.planned({"lr": 3e-3}, 0)
    runs.sweep("lr", {"lr=0.001": {"lr": 1e-3}, "lr=0.003": {"lr": 3e-3}})
    return tmp_path


@pytest.mark.parametrize("verb", VERBS)
def test_a_folder_that_does_not_exist_is_refused(verb: str, folder: Path) -> None:
    done = clip_hparam(verb, *VERBS[verb], "--runs", "my rnus", cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert "there is no folder my rnus: did you mean my runs?" in done.err
    done = clip_hparam(verb, *VERBS[verb], "--runs", "elsewhere", cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert "there is no folder elsewhere: name the folder of the records" in done.err


def test_a_summary_of_a_folder_that_does_not_exist_is_refused(folder: Path) -> None:
    done = clip_hparam("summary", "my rnus", cwd=folder)
    assert done.code == 2
    assert "did you mean my runs?" in done.err


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("verb", ["tables", "figures"])
def test_a_name_of_no_table_is_refused_without_records(
    verb: str, made: bool, tmp_path: Path
) -> None:
    if made:
        (tmp_path / "runs").mkdir()
    done = clip_hparam(verb, "nosuch", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert f"nosuch is not one of the {verb}, and no sweep is on record: choose from " in done.err
    assert "did you mean ladder?" in clip_hparam(verb, "laddre", cwd=tmp_path).err
    known = clip_hparam(verb, "ladder", cwd=tmp_path)
    assert known.code == 0
    assert "no sweep is on record in runs: type clip-hparam sweep -m sweeps=ladder" in known.err


@pytest.mark.parametrize("verb", ["status", "tables", "figures", "report"])
def test_a_folder_without_records_is_reported_in_a_sentence(verb: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = clip_hparam(verb, "--runs", "empty", cwd=tmp_path)
    assert done.code == 0
    command = "clip-hparam sweep -m sweeps=ladder machine.runs=empty"
    assert f"no sweep is on record in empty: type {command}\n" in done.out + done.err


@pytest.mark.parametrize(
    "words",
    [
        ("status", "nosuch"),
        ("status", "--tag", "nosuch"),
        ("why", "nosuch"),
        ("retry", "nosuch"),
        ("cancel", "nosuch"),
        ("pack", "nosuch"),
        ("compare", "nosuch", "lr=0.001"),
        ("export-recipe", "nosuch"),
        ("tables", "nosuch"),
        ("figures", "nosuch"),
        ("report", "--family", "nosuch"),
    ],
)
def test_a_name_that_is_not_on_record_is_refused(words: tuple[str, ...], folder: Path) -> None:
    done = clip_hparam(*words, "--runs", "my runs", cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert "nosuch" in done.err
    for command in commands_in(done.err):
        assert clip_hparam(*command, cwd=folder).code == 0


def commands_in(text: str) -> list[list[str]]:
    """Return the words after clip-hparam of each command that a message names."""
    found = re.findall(r"clip-hparam (.+? --runs '[^']+')", text)
    assert len(found) == text.replace("clip-hparam: ", "").count("clip-hparam ")
    return [shlex.split(command) for command in found]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("why", "lr"), "for the log and the command of a trial: clip-hparam why"),
        (("export-recipe", "lr=0.003"), "is done: clip-hparam retry"),
        (("compare", "nosuch", "lr=0.001"), "clip-hparam status"),
    ],
)
def test_commands_of_messages_find_the_folder(
    words: tuple[str, ...], said: str, folder: Path
) -> None:
    done = clip_hparam(*words, "--runs", "my runs", cwd=folder)
    text = done.out + done.err
    assert said in text
    (command,) = commands_in(text)
    again = [word for word in command if word != "--run"]  # which would train
    assert clip_hparam(*again, cwd=folder).code == 0


def test_a_table_of_a_sweep_that_did_not_run_names_the_folder(folder: Path) -> None:
    done = clip_hparam("tables", "ladder", "--runs", "my runs", cwd=folder)
    sentence = "type clip-hparam sweep -m sweeps=ladder 'machine.runs=\"my runs\"'"
    assert sentence in done.err
    recipe = plan(*shlex.split(sentence)[4:], "lr=0", cwd=folder)  # the word itself is legal
    assert recipe.err == "lr=0 is outside (0, inf): try lr=1e-3\n"
