"""Of a file with raw and EMA weights the log names those that are used, and a key chooses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.cli import SHORT, plan, records, results, sweep
from support.weight_files import averaged, image_tower, prefixed, whole_clip, write

from clip_hparam.records.record import Record


def trial_of(cwd: Path, *overrides: str) -> Record:
    """Run a trial and return its record."""
    before = {record.trial_id for record in records(cwd)}
    done = sweep(*SHORT, *overrides, cwd=cwd)
    assert done.code == 0, done.err
    (new,) = (record for record in records(cwd) if record.trial_id not in before)
    return new


def test_key_chooses_the_weights_and_enters_the_id(tmp_path: Path) -> None:
    raw, ema = image_tower(), averaged(image_tower())
    both = write(tmp_path / "both.pt", {"model": raw, "model_ema": prefixed(ema, "module.")})
    alone = write(tmp_path / "ema.pt", ema)
    default = trial_of(tmp_path, both)
    log = (default.folder / "log.txt").read_text()
    assert "both.pt: 80 tensors of the image tower" in log
    assert "used are the weights under model; encoder.pretrained=FILE:model_ema takes" in log
    chosen, same = trial_of(tmp_path, f"{both}:model_ema"), trial_of(tmp_path, alone)
    assert len({default.trial_id, chosen.trial_id, same.trial_id}) == 3
    numbers = {trial_id: json.loads(text) for trial_id, text in results(tmp_path).items()}
    assert numbers[chosen.trial_id] == numbers[same.trial_id] != numbers[default.trial_id]
    again = sweep(*SHORT, f"{both}:model", cwd=tmp_path)
    assert f"{default.trial_id} is done already" in again.out, "the default has one id"


FILES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "wrong key": (
        lambda: {"state_dict": whole_clip(), "state_dict_ema": averaged(whole_clip())},
        ":ema",
        "has no weights under ema: try encoder.pretrained=FILE:state_dict or :state_dict_ema",
    ),
    "no default": (
        lambda: {**prefixed(image_tower(), "student."), **prefixed(image_tower(), "teacher.")},
        "",
        "holds several sets of weights: try encoder.pretrained=FILE:student or :teacher",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_wrong_or_missing_key_lists_the_keys(case: str, tmp_path: Path) -> None:
    tree, key, sentence = FILES[case]
    given = write(tmp_path / "file.pt", tree())
    done = plan("-m", "dry_run=true", "lr=1e-3,3e-3", given + key, cwd=tmp_path)
    assert done.code == 2
    assert sentence.replace("FILE", str(tmp_path / "file.pt")) in done.err
    assert done.err.count("\n") == 1


def test_path_with_a_colon_is_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "run:3"
    folder.mkdir()
    given = write(folder / "a:b.pt", {"student": image_tower(), "teacher": image_tower()})
    done = plan("-m", "dry_run=true", "lr=1e-3,3e-3", f"{given}:teacher", cwd=tmp_path)
    assert done.code == 0, done.err
