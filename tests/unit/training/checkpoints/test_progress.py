"""The selected epoch: the best accuracy, then the lower loss, then the earlier epoch."""

from typing import Any

import pytest
import torch

from clip_hparam.training.checkpoints.progress import Progress


def row(epoch: int, accuracy: float, loss: float) -> dict[str, Any]:
    return {"epoch": epoch, "selection_acc1.raw": accuracy, "selection_loss.raw": loss}


@pytest.mark.parametrize(
    ("scores", "selected"),
    [
        pytest.param([(80, 0.5), (90, 0.9), (85, 0.1)], 1, id="accuracy"),
        pytest.param([(80, 0.5), (80, 0.4), (80, 0.6)], 1, id="lower loss"),
        pytest.param([(80, 0.5), (80, 0.5)], 0, id="earlier epoch"),
        pytest.param([(0, 9.0), (0, 9.5)], 0, id="nothing correct"),
    ],
)
def test_the_selected_epoch_keeps_its_weights(
    scores: list[tuple[float, float]], selected: int
) -> None:
    progress, weights = Progress(), torch.zeros(2)
    assert progress.selected == -1
    for epoch, (accuracy, loss) in enumerate(scores):
        weights.fill_(epoch)  # training overwrites its weights
        progress.add_epoch(row(epoch, accuracy, loss), {"raw": weights})
    assert progress.selected == selected
    assert progress.selected_weights["raw"].tolist() == [selected, selected]
