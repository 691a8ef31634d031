"""Callbacks: several act as one, a signal stops a trial, a bar appears on a terminal only."""

import io
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.local.child import catch_signals
from clip_hparam.records.record import Record
from clip_hparam.training.callbacks import standard
from clip_hparam.training.callbacks.base import NO_CALLBACK, CallbackList, TrialCallback
from clip_hparam.training.callbacks.progress_bar import ProgressBar

SPEC = TrialSpec(Recipe())


class Recorder(TrialCallback):
    """Records its calls in a list that several share, and answers as told."""

    def __init__(self, name: str, calls: list[Any], stop: bool = False, prune: bool = False):
        self.name, self.calls, self.stop, self.prune = name, calls, stop, prune

    def on_start(self, spec: TrialSpec) -> None:
        self.calls.append((self.name, spec))

    def on_step(self, step: int, total_steps: int) -> None:
        self.calls.append((self.name, step, total_steps))

    def should_stop(self) -> bool:
        return self.stop

    def on_epoch_end(self, rows: list[dict[str, Any]]) -> bool:
        self.calls.append((self.name, rows))
        return self.prune

    def on_end(self, state: str, result: Any) -> None:
        self.calls.append((self.name, state, result))


def test_base_class_neither_stops_nor_prunes() -> None:
    NO_CALLBACK.on_start(SPEC)
    NO_CALLBACK.on_step(1, 2)
    assert not NO_CALLBACK.should_stop()
    assert not NO_CALLBACK.on_epoch_end([{}])
    NO_CALLBACK.on_end("done", {})


def test_list_calls_all_callbacks_in_order() -> None:
    calls: list[Any] = []
    callback = CallbackList(Recorder(name, calls) for name in "ab")
    callback.on_start(SPEC)
    callback.on_step(1, 2)
    callback.on_epoch_end([{"epoch": 0}])
    callback.on_end("done", {})
    arguments = [(SPEC,), (1, 2), ([{"epoch": 0}],), ("done", {})]
    assert calls == [(name, *given) for given in arguments for name in "ab"]


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
def test_one_callback_is_enough_to_stop_or_prune(first: bool, second: bool) -> None:
    calls: list[Any] = []
    stopping = CallbackList([Recorder("a", [], stop=first), Recorder("b", [], stop=second)])
    pruning = CallbackList([Recorder("a", calls, prune=first), Recorder("b", calls, prune=second)])
    assert stopping.should_stop() == (first or second)
    assert pruning.on_epoch_end([]) == (first or second)
    assert calls == [("a", []), ("b", [])]


def test_signal_sets_the_stop_flag() -> None:
    previous = signal.getsignal(signal.SIGUSR2)
    try:
        flag = catch_signals(signal.SIGUSR2)
        assert not flag.should_stop()
        os.kill(os.getpid(), signal.SIGUSR2)
        assert flag.should_stop()
        assert flag.received == [signal.SIGUSR2]
    finally:
        signal.signal(signal.SIGUSR2, previous)


def test_heartbeat_is_written_at_intervals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record(tmp_path, "trial")
    heartbeat = standard.Heartbeat(record)
    heartbeat.on_step(1, 9)
    assert record.status() == {}
    monkeypatch.setattr(standard, "HEARTBEAT_SECONDS", 0.0)
    heartbeat.on_step(2, 9)
    assert (record.status()["state"], record.status()["step"]) == ("running", 2)


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_bar_is_drawn_on_a_terminal_only(terminal: bool) -> None:
    output = io.StringIO()
    bar = ProgressBar(Console(file=output, force_terminal=terminal, width=60))
    bar.on_start(SPEC)
    bar.on_step(3, 7)
    bar.on_end("done", {})
    assert ("3/7" in output.getvalue()) == terminal
    assert bool(output.getvalue()) == terminal
