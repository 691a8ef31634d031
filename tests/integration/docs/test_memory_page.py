"""The table of docs/memory.md is computed; its options exist.

To write the current table into the page:

    PYTHONPATH=tests python tests/integration/docs/test_memory_page.py
"""

import re
from dataclasses import replace
from pathlib import Path

from support.cli import ROOT

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.planning.estimates.memory import predict_memory

PAGE = ROOT / "docs" / "memory.md"
BLOCK = re.compile(r"(<!-- memory -->\n).*?(\n<!-- end -->)", re.DOTALL)
HEAD = ("saved for an image, bf16", "reference", "fused", "fused, activation checkpointing")
TOWERS = {
    "ViT-B/16": ("ViT-B-16-quickgelu", (224, 384)),
    "ViT-L/14": ("ViT-L-14-quickgelu", (224, 336)),
}
MACHINES = (
    Machine(kernels="reference"),
    Machine(),
    Machine(activation_checkpointing=True),
)


def memory_table() -> str:
    lines = [" | ".join((*HEAD, "fixed, with EMA")), " | ".join(["---"] * 5)]
    for title, (name, resolutions) in TOWERS.items():
        recipe = Recipe(
            encoder=Encoder(name=name, pretrained="random"), precision="bf16", ema_decay=0.9998
        )
        for resolution in resolutions:
            resized = replace(recipe, resolution=resolution)
            estimates = [predict_memory(resized, machine, 1000) for machine in MACHINES]
            cells = [f"{estimate.saved / 1e6:.0f} MB" for estimate in estimates]
            fixed = f"{estimates[0].fixed / 1e9:.1f} GB"
            lines.append(" | ".join([f"{title}, {resolution} px", *cells, fixed]))
    return "\n".join(f"| {line} |" for line in lines)


def test_table_of_the_page_is_that_of_the_prediction() -> None:
    (block,) = BLOCK.finditer(PAGE.read_text())
    assert f"<!-- memory -->\n{memory_table()}\n<!-- end -->" == block[0], (
        f"PYTHONPATH=tests python {Path(__file__).relative_to(ROOT)} updates it"
    )


def test_options_of_the_page_are_fields_of_the_machine() -> None:
    named = set(re.findall(r"machine\.(\w+)", PAGE.read_text()))
    assert {"micro_batch", "activation_checkpointing"} <= named
    assert all(hasattr(Machine(), name) for name in named)


if __name__ == "__main__":
    PAGE.write_text(BLOCK.sub(lambda m: f"{m[1]}{memory_table()}{m[2]}", PAGE.read_text()))
