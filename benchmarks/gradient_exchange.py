"""Cost of averaging gradients over two ranks: DistributedDataParallel against one all-reduce.

python benchmarks/gradient_exchange.py    prints the Markdown rows for RESULTS.md

Both train the same multilayer perceptron on flat parameters, by gloo in two processes of one
thread. The peer does what this project did before: after the backward pass it copies all gradients
into one tensor, reduces it, and copies the means back. Rounds are interleaved.
"""

import multiprocessing
import socket
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn

from clip_hparam.distributed import DistributedContext, create_context
from clip_hparam.training.optim.flat_parameters import FlatParameters
from clip_hparam.training.ranks.connection import connect_ranks
from clip_hparam.training.ranks.replica import Replica

RANKS, ROUNDS, STEPS, SECONDS = 2, 9, 4, 120.0
SIDE, CLASSES = 32, 10
MODELS = ((256, 6, 32), (1024, 12, 64), (2048, 20, 64))
"""Width, hidden layers and images of a rank."""


class Cost(NamedTuple):
    """Milliseconds of a step."""

    wall: float
    cpu: float


def create_model(width: int, layers: int) -> nn.Sequential:
    torch.manual_seed(0)
    hidden = [part for _ in range(layers) for part in (nn.GELU(), nn.Linear(width, width))]
    first = nn.Linear(3 * SIDE**2, width)
    return nn.Sequential(nn.Flatten(), first, *hidden, nn.Linear(width, CLASSES))


def flat_parameters(model: nn.Module) -> FlatParameters:
    return FlatParameters(model, [name for name, _ in model.named_parameters()])


def time_steps(step: Callable[[], Tensor]) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(STEPS):
        step()
    to_ms = 1000 / STEPS
    return Cost((time.perf_counter() - wall) * to_ms, (time.process_time() - cpu) * to_ms)


def compare(context: DistributedContext, width: int, layers: int, images: int) -> str:
    """Return the row of a model."""
    model, other = create_model(width, layers), create_model(width, layers)
    weights, other_weights = flat_parameters(model), flat_parameters(other)
    replica = Replica(model, context, SIDE)
    pixels = torch.randn(images, 3, SIDE, SIDE)

    def in_buckets() -> Tensor:
        with replica.micro_batch(last=True):
            replica(pixels).pow(2).mean().backward()
        return weights.pop_gradients()

    def at_once() -> Tensor:
        other(pixels).pow(2).mean().backward()
        gradients = other_weights.pop_gradients()
        flat = torch.cat([gradients, torch.zeros(1)])
        dist.all_reduce(flat)
        flat /= context.world_size
        gradients.copy_(flat[:-1])
        return gradients

    assert torch.equal(in_buckets(), at_once())
    rounds = [(time_steps(in_buckets), time_steps(at_once)) for _ in range(ROUNDS)]
    ours, peer = (
        Cost(*(statistics.median(round_[side][unit] for round_ in rounds) for unit in range(2)))
        for side in range(2)
    )
    ratio = Cost(ours.wall / peer.wall, ours.cpu / peer.cpu)
    return (
        f"| {len(weights.values) / 1e6:.1f} M | {peer.cpu:.0f} | {ours.cpu:.0f} |"
        f" {ratio.cpu:.2f} | {ratio.wall:.2f} |"
    )


def run_rank(rank: int, port: int) -> None:
    torch.set_num_threads(1)
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    environment = {**address, "RANK": str(rank), "WORLD_SIZE": str(RANKS)}
    context = create_context(environment, SECONDS)
    with connect_ranks(context, torch.device("cpu"), SECONDS):
        for model in MODELS:
            row = compare(context, *model)
            if context.is_main:
                print(row, flush=True)


def main() -> None:
    print("| parameters | CPU ms, all at once | CPU ms, buckets | CPU time | wall time |")
    print("|---|---|---|---|---|")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    spawn = multiprocessing.get_context("spawn")
    ranks = [spawn.Process(target=run_rank, args=(rank, port)) for rank in range(RANKS)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join()


if __name__ == "__main__":
    main()
