"""What the forkserver imports before trials fork: modules that leave CUDA alone, and the images."""

from pathlib import Path

import pytest
from support.cli import python

from clip_hparam.launch.local.child import IMAGES_VARIABLE, PRELOAD

COUNTED = """
from clip_hparam.data.digits import load_digits

def count():
    return load_digits.cache_info().currsize
"""
ASK = """
from concurrent.futures import ProcessPoolExecutor
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.local import processes
from clip_hparam.config.recipe import Data, Recipe
import counted

spec = TrialSpec(Recipe(data=Data(**{data})))
with ProcessPoolExecutor(1, mp_context=processes.start_forkserver(spec)) as pool:
    print(pool.submit(counted.count).result())
"""


def test_preloaded_modules_do_not_touch_cuda(tmp_path: Path) -> None:
    code = (
        "import importlib, torch, torch.cuda as cuda;"
        "exec('def touched(*_, **__): raise SystemExit(\"CUDA was touched\")');"
        "cuda.is_available = cuda.device_count = cuda._lazy_init = touched;"
        f"[importlib.import_module(name) for name in {PRELOAD}];"
        "assert not cuda.is_initialized()"
    )
    done = python("-c", code, cwd=tmp_path, **{IMAGES_VARIABLE: "{}"})
    assert done.code == 0, done.err


@pytest.mark.parametrize(("data", "count"), [({}, "1\n"), ({"name": "nowhere"}, "0\n")])
def test_images_are_decoded_before_trials_fork(
    data: dict[str, str], count: str, tmp_path: Path
) -> None:
    (tmp_path / "counted.py").write_text(COUNTED)
    done = python("-c", ASK.format(data=data), cwd=tmp_path)
    assert (done.code, done.out) == (0, count), done.err
