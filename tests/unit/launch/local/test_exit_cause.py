"""The cause in an exit code names the signal and what to type next."""

import signal

import pytest

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Data, Recipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.local.exit_cause import exit_cause, lost_rank_cause

SPEC = TrialSpec(Recipe(batch_size=50), Machine())
KILLER = "signal 9 (SIGKILL), often sent by the kernel's out-of-memory killer (see dmesg): "


@pytest.mark.parametrize(
    ("spec", "at_once", "advice"),
    [
        (SPEC, 4, "type workers=1 or machine.micro_batch=25"),
        (SPEC, 1, "type machine.micro_batch=25"),
        (
            TrialSpec(Recipe(batch_size=50), Machine(loader_workers=4)),
            2,
            "type workers=1 or machine.loader_workers=0 or machine.micro_batch=25",
        ),
        (
            TrialSpec(Recipe(batch_size=50, data=Data(name="folder", root="/images")), Machine()),
            1,
            "type machine.loader_workers=0 or machine.micro_batch=25",
        ),
        (
            TrialSpec(Recipe(batch_size=48), Machine(), gpus_per_trial=2),
            1,
            "machine.micro_batch=24",
        ),
        (TrialSpec(Recipe(batch_size=1), Machine()), 1, "a smaller resolution or encoder"),
    ],
)
def test_message_of_a_killed_process_names_what_needs_less_memory(
    spec: TrialSpec, at_once: int, advice: str
) -> None:
    cause = exit_cause(-signal.SIGKILL, spec, at_once)
    assert cause.startswith(KILLER)
    assert advice in cause


def test_the_advised_micro_batch_is_legal() -> None:
    for batch, ranks in ((50, 1), (50, 2), (49, 7), (48, 4), (6, 3)):
        spec = TrialSpec(Recipe(batch_size=batch), Machine(), gpus_per_trial=ranks)
        number = exit_cause(-9, spec, 1).partition("micro_batch=")[2]
        machine = Machine(micro_batch=int(number or 0))
        TrialSpec(Recipe(batch_size=batch), machine, gpus_per_trial=ranks)  # raises if illegal


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (3, "exit code 3"),
        (None, "exit code None"),
        (-signal.SIGSEGV, "signal 11 (SIGSEGV)"),
        (-signal.SIGBUS, "signal 7 (SIGBUS), often because /dev/shm or the disk is full (see df"),
        (-200, "signal 200 (of real time)"),
    ],
)
def test_other_ends_are_named(code: int | None, cause: str) -> None:
    assert exit_cause(code, SPEC, 1).startswith(cause)


def test_ranks_that_a_signal_ended_are_named() -> None:
    assert lost_rank_cause([0, None, 1], SPEC, 1) == ""
    assert lost_rank_cause([0, -9], SPEC, 1).startswith(f"rank 1 ended by {KILLER}")
