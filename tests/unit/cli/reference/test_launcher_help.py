"""Each key of hydra.launcher has a meaning, and the help of a sweep says where they are listed."""

import pytest

from clip_hparam.cli.reference.help_page import help_lines
from clip_hparam.cli.reference.launcher_help import (
    LAUNCHERS,
    find_launcher_keys,
    launcher_keys,
    launcher_lines,
)
from clip_hparam.cli.reference_pages.knob_page import knob_page
from clip_hparam.config.options.launcher_options import LauncherOptions, option_names


def test_every_key_is_listed_with_its_default_and_a_meaning() -> None:
    keys = {key.name: key for key in launcher_keys()}
    assert list(keys) == option_names()
    for name, key in keys.items():
        assert key.meaning, name
        assert key.default == getattr(LauncherOptions(), name)
    assert (keys["timeout_min"].unit, keys["timeout_min"].sbatch) == ("min", "--time")
    assert (keys["mem_gb"].unit, keys["mem_gb"].sbatch) == ("GB", "--mem")
    assert keys["max_num_timeout"].sbatch == ""


def test_the_list_fits_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = list(launcher_lines(launcher_keys()))
    assert max(map(len, lines)) <= 80
    for name in (*LAUNCHERS, *option_names()):
        assert any(line.split("=")[0].split()[:1] == [name] for line in lines), name


def test_one_key_is_found_by_its_full_name() -> None:
    (key,) = find_launcher_keys("hydra.launcher.partition") or []
    assert any("hydra.launcher.partition=VALUE" in line for line in launcher_lines([key]))
    assert find_launcher_keys("lr") is None
    with pytest.raises(ValueError, match="has no key partion: did you mean partition"):
        find_launcher_keys("hydra.launcher.partion")


def test_the_help_of_a_sweep_and_the_reference_name_the_list() -> None:
    assert any("clip-hparam knobs launcher" in line for line in help_lines({}, {}))
    page = knob_page()
    for name in option_names():
        assert f"`hydra.launcher.{name}`" in page
