"""The batch size of evaluations: 256 on a CPU, by the memory of a GPU."""

from types import SimpleNamespace

import pytest
import torch

from clip_hparam.data.loading.eval_batch import eval_batch_size


@pytest.mark.parametrize(
    ("gigabytes", "resolution", "images"),
    [(80, 224, 832), (40, 224, 416), (16, 224, 160), (40, 336, 160), (8, 384, 32), (80, 32, 1024)],
)
def test_gpu_takes_images_by_its_memory(
    gigabytes: int, resolution: int, images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = SimpleNamespace(total_memory=gigabytes * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    assert eval_batch_size(torch.device("cuda", 0), resolution) == images


def test_cpu_takes_256_images_so_that_bits_stay() -> None:
    assert eval_batch_size(torch.device("cpu"), 224) == 256
