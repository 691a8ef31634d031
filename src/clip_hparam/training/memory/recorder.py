"""Record a micro-batch that was halved in the middle of a trial."""

from dataclasses import replace
from typing import TYPE_CHECKING

from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.device.numerics import Numerics, numerics_facts

if TYPE_CHECKING:
    from clip_hparam.training.train_state import TrainState


class MicroBatchRecorder(TrialCallback):
    """Appends Numerics with the new micro-batch to those of the attempts, and records all."""

    def __init__(self, attempts: list[Numerics], state: "TrainState", record: Record) -> None:
        self._attempts, self._state, self._record = attempts, state, record

    def on_step(self, step: int, total_steps: int) -> None:
        last, micro_batch = self._attempts[-1], self._state.micro_batch
        if micro_batch != last.micro_batch:
            self._attempts.append(replace(last, micro_batch=micro_batch))
            self._record.write_status(TrialState.RUNNING, **numerics_facts(self._attempts))
