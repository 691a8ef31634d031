"""The id of a trial does not depend on the process that computes it."""

import subprocess
import sys

from clip_hparam.config.identity import trial_id
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.planning.resolve import resolve

RESOLVED = resolve(with_values(Recipe(), {"data.selection": 10.0, "augment_backend": "timm"}))


def test_the_id_is_the_same_in_another_process() -> None:
    code = (
        "from clip_hparam.planning.resolve import resolve\n"
        "from clip_hparam.config.identity import trial_id\n"
        "from clip_hparam.config.recipe import Recipe, with_values\n"
        "values = {'augment_backend': 'timm', 'data.selection': 10}\n"
        "print(trial_id(resolve(with_values(Recipe(), values))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == trial_id(RESOLVED)
