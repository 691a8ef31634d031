"""The model of a rank; gradients are averaged over the ranks during the backward pass.

torch's DistributedDataParallel exchanges gradients in buckets while the backward pass of the last
micro-batch of a step computes the rest.

A gradient is copied once into its bucket, and once out of it: the optimizer wants the gradients in
the order of its groups (FlatParameters), buckets are in the order in which the backward pass ends
them. The copy out of the buckets is that which a trial in one process makes too. Two ranks take
0.70 to 0.77 of the CPU time of one all-reduce after the backward pass
(benchmarks/gradient_exchange.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from clip_hparam.distributed import DistributedContext
from clip_hparam.training.compilation.modules import run_eagerly


class Replica:
    """Calls a model; with several ranks its gradients become their mean.

    A trial in one process calls the model itself.
    """

    def __init__(self, model: nn.Module, context: DistributedContext, resolution: int) -> None:
        """Wrap a model that is on its device, after its parameters were moved for the last time.

        resolution: px of the images.
        """
        self._model, self._context = model, context
        self._parallel: DistributedDataParallel | None = None
        if context.world_size > 1:
            self._parallel = _create_parallel(model, context)
            self._settle_buckets(resolution)

    def __call__(self, images: Tensor) -> Tensor:
        """Return the logits; called inside `micro_batch`."""
        logits: Tensor = (self._parallel or self._model)(images)
        return logits

    @contextmanager
    def micro_batch(self, last: bool) -> Iterator[None]:
        """Average the gradients in the backward pass inside the `with` block if it is the last.

        Raises: PeerError if another rank is lost.
        """
        if self._parallel is None:
            yield
        elif last:
            with self._context.collective():
                yield
        else:
            with self._parallel.no_sync():
                yield

    def _settle_buckets(self, resolution: int) -> None:
        """Do a backward pass of one black image, and drop its gradients.

        DistributedDataParallel arranges its buckets after its first backward pass. With three ranks
        or more the bits of a sum depend on its place in a bucket: without this pass, the first step
        of a resumed trial would have other bits than the same step of an uninterrupted one. The
        pass is eager, because a compiled model would be traced for its one image.
        """
        like = next(self._model.parameters())
        black = torch.zeros(1, 3, resolution, resolution, dtype=like.dtype, device=like.device)
        with run_eagerly(), self.micro_batch(last=True):
            self(black).sum().backward()  # type: ignore[no-untyped-call]
        for parameter in self._model.parameters():
            parameter.grad = None


def _create_parallel(model: nn.Module, context: DistributedContext) -> DistributedDataParallel:
    """Return the model in DistributedDataParallel.

    Weights are not broadcast, but compared (`agreement`). All trained parameters have a gradient in
    each step, so there are no unused ones to be found, and a static graph would save nothing.
    """
    return DistributedDataParallel(
        model,
        process_group=context.connection.device_group,
        init_sync=False,
        forward_sync_buffers=False,
        gradient_as_bucket_view=True,
        batched_grad_copy=True,
    )
