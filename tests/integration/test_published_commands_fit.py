"""By prediction, each published recipe fits one GPU of 80 GB and eight of 40 GB as documented."""

import re
import shlex

import pytest
from support.cli import ROOT

from clip_hparam.cli.hydra_app.compose import compose_all
from clip_hparam.config.knob import AUTO
from clip_hparam.config.recipe import with_values
from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.planning.estimates.memory import (
    CONTEXT_BYTES,
    fitting_micro_batch,
    mixes_rows,
    predict_memory,
)

KNOWN = {"encoder.weights": "random", "encoder.pixels": "clip", "data.fingerprint": "none"}
KNOWN |= {"data.epoch_images": 1281167, "augment_backend": "tensor", "mix_pairs": "adjacent"}
CLASSES = 1000
COMMANDS = {
    str(path.relative_to(ROOT / "conf" / "recipe")): re.findall(
        r"^# python sweep\.py (.*)$", path.read_text(), re.MULTILINE
    )
    for family in ("b16", "l14", "ft_clip")
    for path in sorted((ROOT / "conf" / "recipe" / family).glob("*.yaml"))
}


def test_every_published_recipe_has_one_command() -> None:
    assert len(COMMANDS) == 18
    assert all(len(commands) == 1 for commands in COMMANDS.values())


@pytest.mark.parametrize("file", COMMANDS)
def test_documented_command_fits(file: str) -> None:
    recipe, machine, _ = compose_all(shlex.split(COMMANDS[file][0]))
    resolved = as_resolved(with_values(recipe, KNOWN))
    estimate = predict_memory(resolved, machine, CLASSES)
    for gigabytes, gpus in ((80, 1), (40, 8)):
        rows = resolved.batch_size // gpus
        free = gigabytes * 10**9 - CONTEXT_BYTES
        best = fitting_micro_batch(estimate, free, rows, mixes_rows(resolved))
        assert best is not None
        assert best >= 32
        assert machine.micro_batch == AUTO or 0 < machine.micro_batch // gpus <= best
