"""The profile of some steps: pinned copies, the kernel of the attention, the GPU's busy share."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from torch.profiler import ProfilerActivity, profile

from gpu_checks.check import Figure, Finding, Setup, Task, failed, not_applicable, passed
from gpu_checks.epochs import StepClock, train_steps
from gpu_checks.inputs import B16, TINY, folder_recipe, state_of

WARM_UP, STEPS = 4, 6
GPU_CATEGORIES = ("kernel", "gpu_memcpy", "gpu_memset")
FUSED = re.compile(
    r"aten::_scaled_dot_product_(flash|efficient|cudnn)_attention$|"
    r"aten::_scaled_dot_product_fused_attention_overrideable$"
)
MATH = "aten::_scaled_dot_product_attention_math"
ATTENTION_KERNEL = re.compile(r"flash|fmha|attention|sdpa", re.IGNORECASE)
NAME_LENGTH = 80
Event = Mapping[str, Any]


class ProfiledSteps(StepClock):
    """Profiles the steps after the warm-up."""

    profile: profile

    def begin(self) -> None:
        kinds = [ProfilerActivity.CPU, *[ProfilerActivity.CUDA] * (self.device.type == "cuda")]
        self.profile = profile(activities=kinds)
        self.profile.start()

    def end(self) -> None:
        self.profile.stop()


def profile_steps(setup: Setup) -> Finding:
    """Profile steps from files, in bf16 with the tower of real size on a GPU."""
    name, resolution, batch = (B16, 224, 64) if setup.on_gpu else (TINY, 32, 8)
    recipe = folder_recipe(
        setup,
        name,
        resolution,
        precision="bf16",
        batch_size=batch,
        **{"data.epoch_images": batch * 16},
    )
    clock = ProfiledSteps(setup.device, WARM_UP, STEPS)
    train_steps(
        state_of(recipe, setup.device, classes=4), recipe, clock, "auto" if setup.on_gpu else 1
    )
    path = setup.folder / "trace.json"
    clock.profile.export_chrome_trace(str(path))
    events = json.loads(path.read_text())["traceEvents"]
    path.unlink()
    if not setup.on_gpu:
        names = {event["name"] for event in events if event.get("cat") == "cpu_op"}
        return not_applicable("the profile has no kernels of a GPU", operators=len(names))
    return judge_trace(events)


def judge_trace(events: Iterable[Event]) -> Finding:
    """Judge the events of torch's trace in Chrome's format."""
    events = list(events)
    on_gpu = [event for event in events if event.get("cat") in GPU_CATEGORIES]
    copies = [event["name"] for event in on_gpu if "HtoD" in event["name"]]
    pinned = sum("Pinned" in name for name in copies)
    pageable = sum("Pageable" in name for name in copies)
    operators = {event["name"] for event in events if event.get("cat") == "cpu_op"}
    fused = sorted(name for name in operators if FUSED.match(name))
    kernels = {event["name"] for event in on_gpu if event["cat"] == "kernel"}
    named = sorted(name[:NAME_LENGTH] for name in kernels if ATTENTION_KERNEL.search(name))
    figures: dict[str, Figure] = {
        "pinned copies": pinned,
        "pageable copies": pageable,
        "attention": ", ".join(fused) or "none",
        "kernel": named[0] if named else "none",
        "busy share": round(busy_share(on_gpu), 3),
    }
    problems = [
        *(["no pinned copy to the GPU"] if not pinned else []),
        *([f"{pageable} pageable copies to the GPU"] if pageable else []),
        *(["attention by the math path"] if MATH in operators or not fused else []),
    ]
    if problems:
        return failed("; ".join(problems), **figures)
    return passed("copies are pinned and the attention is fused", **figures)


def busy_share(on_gpu: Iterable[Event]) -> float:
    """Return the share of the time from the first to the last event in which one runs."""
    spans = sorted(
        (float(event["ts"]), float(event["ts"]) + float(event["dur"])) for event in on_gpu
    )
    if not spans:
        return 0.0
    busy, end = 0.0, spans[0][0]
    for start, stop in spans:
        busy += max(stop - max(start, end), 0.0)
        end = max(end, stop)
    return busy / max(end - spans[0][0], 1e-9)


TASKS = (Task("profile: steps from files", 25, profile_steps),)
