"""A few steps of the published recipe with the real ViT-B/16, by the command line: minutes."""

from pathlib import Path

import pytest
from support import image_folders
from support.cli import records, sweep_process

FEW = ("epochs=2", "warmup=0.5", "data.epoch_images=4", "batch_size=2", "machine.micro_batch=1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("precision", "freeze", "trainable"),
    [
        ("fp32", "patch", 85_978_600 - 997 * (768 + 1)),  # 3 of 1000 classes
        # a CPU without bf16 takes 45 times as long for the gradient of a product: the last block
        ("bf16", "first_11", 7_087_872 + 2 * 768 + 3 * (768 + 1)),
    ],
)
def test_published_recipe_trains_the_real_architecture(
    tmp_path: Path, precision: str, freeze: str, trainable: int
) -> None:
    root = image_folders.imagenet(tmp_path / "images", train=4, val=1)
    done = sweep_process(
        *("recipe=ft_clip/b16", "encoder.pretrained=random", f"precision={precision}"),
        f"freeze={freeze}",
        *("data=imagenet", f"data.root={root}", *FEW),
        cwd=tmp_path,
        timeout=1200,
    )
    assert done.code == 0, done.err
    (record,) = records(tmp_path)
    result = record.result()
    assert result is not None
    assert result["steps"] == 4
    assert result["parameters"]["trainable"] == trainable
    first, _ = record.rows()
    assert first["train_loss"] == pytest.approx(1.0986, abs=0.01)  # ln 3: the head starts near 0
    assert {"test_acc1.raw.selected", "test_acc1.ema.last"} <= result["metrics"].keys()
