"""Compiled steps: the losses of eager ones, one graph for all steps, eager evaluation."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch._dynamo.utils import counters

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.model.classifier import Classifier
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.compilation import modules
from clip_hparam.training.compilation.compiler import CACHE_VARIABLE
from clip_hparam.training.compilation.modules import compiled_modules
from clip_hparam.training.device.numerics import KernelChoice
from clip_hparam.training.engine import train_step
from clip_hparam.training.evaluation import evaluate_models
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.train_state import TrainState

KNOBS = {
    "batch_size": 8, "drop_path": 0.3, "clip_grad": 1.0, "ema_decay": 0.9, "lr": 1e-2,
    "warmup": 0.0, "data.epoch_images": 100, "data.selection": 2.0,
}  # fmt: skip
# a warning inside of torch.compile, which hides it where warnings are no errors
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()
    torch.set_num_threads(threads)


def state_of(precision: str, compiled: bool) -> TrainState:
    recipe = resolve(with_values(Recipe(), {**KNOBS, "precision": precision}))
    choice = KernelChoice("fused", "sdpa" if precision == "fp32" else "explicit", compiled)
    machine = Machine(device="cpu", micro_batch=4)
    return create_train_state(recipe, machine, create_model(recipe, 10), kernels=choice)


def batch(step: int, state: TrainState) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    images = torch.randn((8, 3, 32, 32), generator=generator)
    targets = torch.rand((8, 10), generator=generator).softmax(1)
    return images, targets, torch.rand((8, len(state.model.drop_paths)), generator=generator)


def losses(state: TrainState, steps: int) -> list[float]:
    state.model.train()
    return [float(train_step(state, step, *batch(step, state))) for step in range(steps)]


@pytest.mark.parametrize("unit", ["model", "blocks"])
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-5), ("bf16", 2e-2)])
def test_compiled_steps_have_the_losses_of_eager_ones_and_one_graph(
    unit: str, precision: str, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modules, "BACKEND", "aot_eager")
    monkeypatch.setattr(modules, "MAX_WHOLE_BLOCKS", 12 if unit == "model" else 0)
    eager = losses(state_of(precision, compiled=False), 6)
    state = state_of(precision, compiled=True)
    compiled = losses(state, 1)
    graphs = counters["stats"]["unique_graphs"]
    # the first block drops nothing, and the others share a graph
    assert graphs == (1 if unit == "model" else 2)
    compiled += [float(train_step(state, step, *batch(step, state))) for step in range(1, 6)]
    assert compiled == pytest.approx(eager, rel=tolerance)
    assert counters["stats"]["unique_graphs"] == graphs
    assert not counters["graph_break"]


def test_evaluation_compiles_nothing_for_any_size_of_a_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(modules, "BACKEND", "aot_eager")
    state, plain = state_of("fp32", compiled=True), state_of("fp32", compiled=False)
    losses(state, 1)
    losses(plain, 1)
    state.model.load_state_dict(plain.model.state_dict())
    graphs = counters["stats"]["unique_graphs"]
    sizes = [(batch(1, state)[0][:size], torch.zeros(size, dtype=torch.int64)) for size in (8, 3)]
    scores, expected = (evaluate_models({"raw": one.model}, sizes, one) for one in (state, plain))
    assert scores["raw"].loss == expected["raw"].loss
    assert counters["stats"]["unique_graphs"] == graphs


def test_copies_and_keys_do_not_know_of_the_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "BACKEND", "aot_eager")
    state, plain = state_of("fp32", compiled=True), state_of("fp32", compiled=False)
    assert list(state.model.state_dict()) == list(plain.model.state_dict())
    ema = state.eval_models["ema"]
    ema(batch(0, state)[0])
    assert not counters["stats"]


def test_deep_towers_and_gpus_compile_their_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    model: Classifier = state_of("fp32", compiled=False).model
    assert compiled_modules(model, CPU) == [model]
    assert compiled_modules(model, torch.device("cuda")) == list(model.blocks)
    monkeypatch.setattr(modules, "MAX_WHOLE_BLOCKS", len(model.blocks) - 1)
    assert compiled_modules(model, CPU) == list(model.blocks)


@pytest.mark.slow
def test_inductor_has_the_losses_of_eager_steps() -> None:
    eager = losses(state_of("fp32", compiled=False), 20)
    assert losses(state_of("fp32", compiled=True), 20) == pytest.approx(eager, rel=1e-4)
