"""An import keeps ids, levels and rows unchanged."""

from pathlib import Path

import pytest
from support.cli import clip_hparam

from clip_hparam.analysis.frames.importing.table_files import read_trial_table

IDS = ["53811182", "5381e182", "00123456", "007", "7", "1e5", "nan", "True", " 7", "None"]


def import_csv(folder: Path, text: str, *words: str) -> str:
    """Import a table into `kept` and return what was said about it."""
    (folder / "t.csv").write_text(text)
    done = clip_hparam("import", "t.csv", *words, "--out", "kept", cwd=folder)
    assert done.code == 0, done.err
    return done.err


def test_ids_are_kept_as_text(tmp_path: Path) -> None:
    lines = [f"{name},{number},8{number}" for number, name in enumerate(IDS)]
    text = "\n".join(["id,lr,top1", *lines])
    import_csv(tmp_path, text, "--knob", "lr", "--objective", "top1", "--name", "id")
    assert list(read_trial_table(tmp_path / "kept").rows.index) == IDS
    done = clip_hparam("compare", "--runs", "kept", "7", "007", cwd=tmp_path)
    assert done.code == 0
    assert "7: top1 84.00" in done.out
    assert "007: top1 83.00" in done.out


def test_words_for_missing_values_are_levels_of_text_and_missing_numbers(tmp_path: Path) -> None:
    words = ["None", "null", "NA", "", "weak"]
    lines = [f"{word},{'0.1' if word == 'weak' else word},8{n}" for n, word in enumerate(words)]
    text = "\n".join(["aug,mixup,top1", *lines])
    import_csv(tmp_path, text, "--knob", "aug", "--knob", "mixup", "--objective", "top1")
    rows = read_trial_table(tmp_path / "kept").rows
    assert rows["aug"].fillna("(missing)").to_list() == ["None", "null", "NA", "weak"]
    assert rows["mixup"].fillna(-1).to_list() == [-1, -1, -1, 0.1]
    table = clip_hparam("tables", "--runs", "kept", cwd=tmp_path)
    assert table.code == 0
    shown = (tmp_path / "results" / "kept.md").read_text()
    assert all(f"aug={word}," in shown for word in ("None", "null", "NA", "weak"))


def test_rows_of_other_ids_are_kept_and_duplicates_are_named(tmp_path: Path) -> None:
    text = "id,lr,top1\na,0.1,80\nb,0.1,80\nc,0.1,81\nd,0.2,80\na,0.1,80\n"
    said = import_csv(tmp_path, text, "--knob", "lr", "--objective", "top1", "--name", "id")
    assert "4 of 5 rows kept" in said
    assert "1 repeated with their name" in said
    assert "1 duplicate, equal in all but the name, are kept (b equals a)" in said
    assert list(read_trial_table(tmp_path / "kept").rows.index) == ["a", "b", "c", "d"]
    done = clip_hparam("tables", "--runs", "kept", cwd=tmp_path)
    assert done.code == 0
    lines = (tmp_path / "results" / "kept.csv").read_text().splitlines()
    means = {line.split(",")[0]: line.split(",")[2:5] for line in lines}
    assert means["lr=0.1"] == ["3", "3", str((80 + 80 + 81) / 3)]
    assert means["lr=0.2"][:2] == ["1", "1"]


def test_one_id_of_two_different_rows_is_numbered_and_its_epochs_are_refused(
    tmp_path: Path,
) -> None:
    options = ("--knob", "lr", "--objective", "top1", "--name", "id")
    said = import_csv(tmp_path, "id,lr,top1\na,0.1,80\na,0.2,81\n", *options)
    assert "1 row with the name of another, now numbered" in said
    assert list(read_trial_table(tmp_path / "kept").rows.index) == ["a", "a (2)"]
    (tmp_path / "t.csv").write_text("id,lr,epoch,top1\na,0.1,0,70\na,0.1,1,80\n")
    done = clip_hparam("import", "t.csv", *options, "--out", "kept", cwd=tmp_path)
    assert done.code == 2
    assert "'a' in column id names 2 rows that differ in epoch" in done.err


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_close_numbers_are_levels_of_their_own(tmp_path: Path, suffix: str) -> None:
    import pandas as pd

    rows = pd.DataFrame({"lr": [0.00123456, 0.00123457, 1e-5], "top1": [80.0, 81.0, 82.0]})
    path = tmp_path / f"t.{suffix}"
    if suffix == "jsonl":
        rows.to_json(path, orient="records", lines=True, double_precision=15)
    else:
        (rows.to_csv if suffix == "csv" else rows.to_parquet)(path)
    options = ("--knob", "lr", "--objective", "top1", "--out", "kept")
    assert clip_hparam("import", path.name, *options, cwd=tmp_path).code == 0
    assert clip_hparam("tables", "--runs", "kept", cwd=tmp_path).code == 0
    lines = (tmp_path / "results" / "kept.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == ["lr=0.00123456", "lr=0.00123457", "lr=1e-05"]
