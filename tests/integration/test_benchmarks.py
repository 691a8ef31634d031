"""benchmarks/run.py collects the rows of scripts, shows other output, and writes the results."""

import json
import shutil
from importlib import import_module
from pathlib import Path

import pytest
from support.cli import ROOT, Done, python

WITH_ROWS = """
import sys
from rows import row_of, ratio_of
QUICK = ["a word"]
def main():
    assert sys.argv[1:] in ([], QUICK)
    return [row_of("fast: one", [3.0, 1.0, 2.0], "ms"),
            ratio_of("fast: two", [1.0, 2.0], [2.0, 6.0], "a peer")]
"""
WITHOUT_ROWS = "def main():\n    print('a table of its own')\n"
FAILING = "def main():\n    raise SystemExit('out of order')\n"
PAGE = "# Measurements\n\n<!-- rows of make bench -->\nold\n<!-- end of the rows -->\n\nBy hand.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of three small benchmarks."""
    for name in ("run.py", "rows.py"):
        shutil.copy(ROOT / "benchmarks" / name, tmp_path)
    (tmp_path / "fast.py").write_text(WITH_ROWS)
    (tmp_path / "plain.py").write_text(WITHOUT_ROWS)
    (tmp_path / "RESULTS.md").write_text(PAGE)
    return tmp_path


def run(folder: Path, *words: str) -> Done:
    return python(folder / "run.py", *words, cwd=folder)


def test_rows_are_written_and_other_rows_and_text_stay(folder: Path) -> None:
    old = {"median": 7, "low": 7, "high": 7, "unit": "s", "peer": "", "machine": "x", "date": "y"}
    (folder / "RESULTS.json").write_text(json.dumps({"slow: old": old}))
    done = run(folder)
    assert done.code == 0, done.err
    assert "== plain\na table of its own\n" in done.out
    results = json.loads((folder / "RESULTS.json").read_text())
    assert list(results) == ["fast: one", "fast: two", "slow: old"]
    assert results["slow: old"] == old
    one, two = results["fast: one"], results["fast: two"]
    assert (one["median"], one["low"], one["high"], one["unit"], one["peer"]) == (2, 1, 3, "ms", "")
    assert (two["median"], two["unit"], two["peer"]) == (2.5, "x", "a peer")
    page = (folder / "RESULTS.md").read_text()
    assert page.startswith("# Measurements\n\n<!-- rows of make bench -->\n| benchmark | median |")
    assert page.endswith("<!-- end of the rows -->\n\nBy hand.\n")
    assert "| fast: two | 2.5 | 2 to 3 | x | a peer |" in page
    assert "| slow: old | 7 |  | s |  |" in page
    assert "old\n<!--" not in page


def test_a_failing_benchmark_does_not_stop_the_others(folder: Path) -> None:
    (folder / "broken.py").write_text(FAILING)
    done = run(folder)
    assert (done.code, done.err) == (1, "out of order\nfailed: broken\n")
    assert "fast: one" in (folder / "RESULTS.json").read_text()


def test_an_unknown_name_is_answered_with_the_names(folder: Path) -> None:
    done = run(folder, "fsat")
    assert done.code == 2
    assert done.err.endswith("no benchmark fsat: try fast, plain\n")


def test_quick_runs_write_nothing(folder: Path) -> None:
    done = run(folder, "--quick")
    assert done.code == 0, done.err
    assert "== plain\nnot part of --quick\n" in done.out
    assert "| fast: one | 2 | 1 to 3 | ms |  |" in done.out
    assert not (folder / "RESULTS.json").exists()
    assert (folder / "RESULTS.md").read_text() == PAGE


def test_quick_run_of_real_benchmarks(tmp_path: Path) -> None:
    words = ("gather", "step", "--quick", "--out", str(tmp_path))
    done = python(ROOT / "benchmarks" / "run.py", *words, cwd=tmp_path)
    assert done.code == 0, done.err
    results = json.loads((tmp_path / "RESULTS.json").read_text())
    assert {name.partition(":")[0] for name in results} == {"gather", "step"}
    fused = "step: width 64, patch 8, batch 25, fp32, product, fused kernels"
    assert results[fused]["peer"] == "official-style"
    assert results[fused]["median"] > 0


def test_functions_that_the_trial_benchmark_times_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    trial = import_module("trial")
    for name, owner, function in (*trial.FUNCTIONS, *trial.GENERATORS):
        assert callable(getattr(owner, function)), name


@pytest.mark.slow
def test_quick_run_of_all_benchmarks(tmp_path: Path) -> None:
    done = python(
        ROOT / "benchmarks" / "run.py", "--quick", "--out", tmp_path, cwd=tmp_path, timeout=3600
    )
    assert done.code == 0, done.err
    results = json.loads((tmp_path / "RESULTS.json").read_text())
    prefixes = {name.partition(":")[0] for name in results}
    assert prefixes >= {"augment", "end to end", "files", "step", "step_profile", "trial"}
