"""The answer to a name that no sweep has."""

from pathlib import Path

import pytest
from support.trial_factory import Runs

from clip_hparam.cli.commands.name_lookup import choose_manifest


@pytest.mark.parametrize("length", [6, 12])
def test_trial_in_place_of_a_sweep_is_answered_with_the_command_for_trials(
    tmp_path: Path, length: int
) -> None:
    runs = Runs(tmp_path)
    trial_id = runs.planned({}).trial_id
    runs.sweep("lr", {"a": {}}, seeds=[0])
    with pytest.raises(ValueError, match=f"is a trial, not a sweep: clip-hparam why {trial_id} "):
        choose_manifest(tmp_path, trial_id[:length])


def test_short_text_is_no_trial(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    trial_id = runs.planned({}).trial_id
    runs.sweep("lr", {"a": {}}, seeds=[0])
    with pytest.raises(ValueError, match=f"no sweep is called {trial_id[:5]} in"):
        choose_manifest(tmp_path, trial_id[:5])
