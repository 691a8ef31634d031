"""Pages of help fit their width and keep every word."""

import pytest

from clip_hparam.cli.reference.completion import sweep_words
from clip_hparam.cli.reference.config_files import recipe_files, sweep_files
from clip_hparam.cli.reference.groups import GROUPS
from clip_hparam.cli.reference.help_page import file_lines, group_lines, help_lines


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_lines_of_the_page_fit_the_terminal(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = "\n".join(help_lines({}, {"data": ["digits", "folder"]}))
    assert max(map(len, text.splitlines())) <= max(80, min(int(columns), 110))
    for group in GROUPS:
        assert f"\n{group.capitalize()}: " in text


def test_a_group_shows_the_values_in_use() -> None:
    lines = list(group_lines("optimisation", {"lr": 0.25}, width=80))
    assert lines[1].startswith("  lr=0.25  ")
    assert not any("pool=" in line for line in lines)


def test_words_of_completion_are_keys_names_and_files() -> None:
    words = sweep_words()
    for word in ("lr=", "pool=cls", "sweeps=ladder", "recipe=ft_clip/b16", "data=folder", "-m"):
        assert word in words
    assert len(words) == len(set(words))


def test_the_lists_of_files_begin_with_what_to_type() -> None:
    first, _, second, *_ = file_lines(sweep_files(), is_recipe=False)
    assert first.endswith(" -m sweeps=lr seeds=3 dry_run=true")
    assert second.startswith("-m sweeps=")
    assert not any("family any" in line for line in file_lines(sweep_files(), is_recipe=False))
    assert next(file_lines(recipe_files(), is_recipe=True)).endswith(" recipe=ema lr=1e-3")
