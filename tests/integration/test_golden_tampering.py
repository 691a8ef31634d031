"""The golden test can fail: a quantity wrong in its last digits fails its own case alone."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
Arrays = dict[str, Any]


def shifted(key: str, by: float) -> Callable[[Arrays], None]:
    """Add `by` to the last number of an array."""

    def tamper(arrays: Arrays) -> None:
        arrays[key] = arrays[key].copy()
        arrays[key].flat[-1] += by

    return tamper


def regrouped(arrays: Arrays) -> None:
    """Another lr_scale in its last bit."""
    groups = json.loads(str(arrays["groups_json"]))
    group = next(iter(groups.values()))
    group["lr_scale"] = float(np.nextafter(group["lr_scale"], 1))
    arrays["groups_json"] = json.dumps(groups)


def rescheduled(arrays: Arrays) -> None:
    arrays["schedule"] = arrays["schedule"] * (1 + 3e-12)


TAMPERED: dict[str, Callable[[Arrays], None]] = {
    "logits": shifted("logits", 3e-9),
    "losses": shifted("losses", 3e-9),
    "schedule": rescheduled,
    "groups": regrouped,
    "pos_embed_resized": shifted("pos_embed_resized", 3e-12),
    "final": shifted("final/head.bias", 3e-8),
    "ema": shifted("ema/conv1.weight", 3e-8),
}


def test_tampering_with_a_quantity_fails_its_case_alone(tmp_path: Path) -> None:
    original = dict(np.load(HERE.parent / "golden" / "tiny_trained_conv.npz"))
    for quantity, tamper in TAMPERED.items():
        arrays = dict(original)
        tamper(arrays)
        np.savez(tmp_path / f"bad_{quantity}.npz", **arrays)
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "--tb=no", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, str(HERE / "test_golden.py")],
        env={**os.environ, "CLIP_HPARAM_GOLDEN": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    failed = set(re.findall(r"^FAILED .*\[(.*?)\]", done.stdout, re.MULTILINE))
    assert failed == {f"bad_{name}-{name}" for name in TAMPERED}, done.stdout
