"""The first line of a trial names what was typed, or says that nothing was."""

import pytest

from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.finished import print_start
from clip_hparam.planning.resolve import resolve


def test_a_trial_is_announced_by_the_overrides_that_were_typed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = TrialSpec(resolve(Recipe()), overrides=("lr=1e-3", "seed=2", "workers=3"))
    print_start(spec)
    assert capsys.readouterr().out == f"trial {spec.trial_id}  lr=1e-3,seed=2\n"


def test_a_command_without_overrides_prints_the_default_recipe_and_examples(
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = TrialSpec(resolve(Recipe()))
    print_start(spec)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"trial {spec.trial_id}  the default recipe on data=digits, ")
    for words in (" lr=1e-3 ", " -m lr=1e-3,6e-3 seeds=3 ", " --help "):
        assert words in second
