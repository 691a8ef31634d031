"""The command: exit codes and one-sentence errors."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.trial_factory import Ladder, Runs

from clip_hparam.cli.analysis_app.analysis import main

Call = Callable[..., tuple[int, str, str]]


def one_sentence(text: str) -> str:
    assert text.count("\n") == 1, text
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize("what", ["tables", "figures"])
def test_command_writes_the_ladder_and_prints_paths(ladder: Ladder, call: Call, what: str) -> None:
    code, out, err = call(what, "ladder", "--runs", ladder.runs.folder, "--strict")
    suffixes = {"tables": ("md", "tex", "csv", "html"), "figures": ("png", "pdf")}[what]
    names = {"tables": ("ladder", "ladder_classes"), "figures": ("ladder",)}[what]
    assert (code, err) == (0, "")
    assert out.split() == [f"results/{name}.{suffix}" for name in names for suffix in suffixes]
    assert all(Path(name).stat().st_size > 100 for name in out.split())


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("what", ["tables", "figures"])
def test_strict_exits_4_while_a_run_is_missing(
    runs: Runs, call: Call, what: str, strict: bool
) -> None:
    runs.done({}, 0, 97.0)
    runs.sweep("ladder", {"baseline": {}}, seeds=[0, 1])
    code, out, _ = call(what, "ladder", *["--strict"] * strict)
    assert code == (4 if strict else 0)
    assert "results/ladder." in out


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("named", [[], ["--runs", "runs"]], ids=["default", "named"])
@pytest.mark.parametrize(("strict", "code"), [([], 0), (["--strict"], 4)])
def test_without_records_error_names_the_command(
    call: Call, empty: bool, named: list[str], strict: list[str], code: int
) -> None:
    if empty:
        Path("runs").mkdir()
    found, out, err = call("tables", *named, *strict)
    assert (found, out) == (code, "")
    assert "type clip-hparam sweep -m sweeps=ladder" in one_sentence(err)
    assert not Path("results").exists()


def test_only_changed_tables_are_written_again(runs: Runs, call: Call) -> None:
    for seed in (0, 1):
        runs.done({}, seed, 97.0 + seed)
        runs.done({"lr": 1e-2}, seed, 96.0 + seed)
    runs.sweep("ema", {"a": {}}, seeds=[0, 1])
    runs.sweep("lr", {"a": {}, "b": {"lr": 1e-2}}, seeds=[0, 1])
    first = call("tables", "ema", "lr")[1].split()
    times = {name: Path(name).stat().st_mtime_ns for name in first}
    code, out, err = call("tables", "ema", "lr", "--strict")
    assert (code, out) == (0, "")
    assert err.splitlines() == [f"{name}: unchanged, not written again" for name in ("ema", "lr")]
    runs.done({"lr": 1e-2}, 1, 95.0)
    again = call("tables", "ema", "lr")[1].split()
    assert again == [name for name in first if "/lr" in name]
    assert all(times[name] == Path(name).stat().st_mtime_ns for name in first if "/ema" in name)
    Path("results", "lr.md").write_text("edited by hand")
    assert call("tables", "ema", "lr")[1].split() == again
    assert call("tables", "ema", "lr", "--all")[1].split() == first
    (runs.done({"lr": 1e-2}, 1, 95.0).folder / "result.json").unlink()
    assert call("tables", "ema", "lr", "--strict")[0] == 4


def test_ablation_without_sweep_error_names_the_command(ladder: Ladder, call: Call) -> None:
    code, out, err = call("tables", "lr", "ladder", "--runs", ladder.runs.folder)
    assert (code, "results/ladder.md" in out) == (0, True)
    assert "clip-hparam sweep -m sweeps=lr" in one_sentence(err)
    assert call("tables", "lr", "--strict", "--runs", ladder.runs.folder)[0] == 4


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["tables", "lader"], "did you mean ladder"),
        (["figures", "lrr"], "did you mean lr"),
        (["tabels"], "choose from"),
        ([], "required"),
        (["tables", "--strickt"], "--strickt"),
    ],
)
def test_mistyped_command_prints_one_sentence(
    ladder: Ladder, call: Call, words: list[str], hint: str
) -> None:
    where = ["--runs", str(ladder.runs.folder)] if words and words[0] != "tabels" else []
    code, out, err = call(*words, *where)
    assert (code, out) == (2, "")
    assert hint in one_sentence(err)
    assert not Path("results").exists()


def test_errors_begin_with_the_name_of_the_command(
    ladder: Ladder, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["tables", "lader", "--runs", str(ladder.runs.folder)]
    assert (main(words), main(words, prog="clip-hparam")) == (2, 2)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("python -m analysis: lader is not one of the tables")
    assert second.startswith("clip-hparam: lader is not one of the tables")
    assert main(["tabels"], prog="clip-hparam") == 2
    assert capsys.readouterr().err.startswith("clip-hparam: ")


def test_missing_runs_folder_is_named(call: Call) -> None:
    code, _, err = call("tables", "--runs", "rnus")
    assert code == 2
    assert "no folder rnus" in one_sentence(err)


def test_unwritable_results_folder_is_named(ladder: Ladder, call: Call) -> None:
    Path("results").write_text("a file in the way")
    code, _, err = call("tables", "--runs", ladder.runs.folder)
    assert code == 3
    assert "results" in one_sentence(err)
    assert Path("results").read_text() == "a file in the way"


def test_unused_records_are_named_up_to_a_limit(runs: Runs, call: Call) -> None:
    runs.done({}, 0, 97.0)
    runs.sweep("ladder", {"baseline": {}}, seeds=[0])
    for number in range(14):
        (runs.folder / f"foreign-{number:02}").mkdir()
    code, _, err = call("tables")
    assert code == 0
    assert err.count("not used:") == 11
    assert "4 more records" in err


def test_several_folders_are_read_together(ladder: Ladder, call: Call, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    shutil.copytree(ladder.runs.folder, here)
    there.mkdir()
    for path in sorted(here.glob("*/recipe.json"))[:9]:
        shutil.move(path.parent, there)
    assert call("tables", "--strict", "--runs", here)[0] == 4
    assert call("tables", "--strict", "--runs", here, "--runs", there)[0] == 0
