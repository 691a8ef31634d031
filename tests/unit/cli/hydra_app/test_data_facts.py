"""Facts about images are as wide as the terminal that they are printed to."""

import io
import sys
from pathlib import Path

import pytest
from support.image_folders import grow

from clip_hparam.cli.hydra_app.data_facts import print_plan_facts
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.planning.resolve import resolve


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_rows_and_notes_of_a_plan_fit_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = grow(
        tmp_path / "p", {"a_class_with_a_name": 9, "another_class_with_a_name": 9}, ".png"
    )
    (photos / "another_class_with_a_name" / "notes.txt").touch()
    typed = {"data.name": "folder", "data.root": str(photos), "batch_size": 2, "epochs": 1}
    typed |= {"data.selection": 0.2, "data.shots": 0}
    recipe = resolve(with_values(Recipe(), typed))
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys, "stderr", Terminal())
    print_plan_facts([recipe])
    lines = sys.stderr.getvalue().splitlines()
    assert "note: not used: 1 without the suffix of an image: 1 .txt" in lines
    too_long = [line for line in lines if len(line) > 60 and str(photos) not in line]
    assert too_long == []
