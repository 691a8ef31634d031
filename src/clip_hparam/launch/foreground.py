"""One trial in this process, with a bar on a terminal and a line an epoch elsewhere."""

import sys
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.recipe import label
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.local import processes
from clip_hparam.records.metrics import reported_value
from clip_hparam.records.record import Record
from clip_hparam.records.storage_errors import check_writable
from clip_hparam.training.trial import run_trial


class TrialFailed(SystemExit):
    """The exit code of a trial that is not done; the record says what happened."""


@dataclass
class ConsoleReporter:
    """Lines go to the log and to the screen; on a terminal a bar counts the steps."""

    log: Path
    bar: tqdm

    def say(self, line: str) -> None:
        with self.log.open("a") as file:
            file.write(line + "\n")
        self.bar.write(line)

    def tick(self, step: int, steps: int) -> None:
        self.bar.total = steps
        self.bar.update(step - self.bar.n)


def run_in_foreground(job: TrialSpec) -> float:
    """Run a job that is not done yet and return its test accuracy, percent.

    Raises TrialFailed if it fails, claim.BusyError if another process is at it.
    """
    check_writable(Path(job.machine.runs))
    record = Record(job.machine.runs, job.trial_id)
    if record.is_done():
        print(f"trial {job.trial_id} is done already ({record.folder})")
        return _print_result(record)
    record.folder.mkdir(parents=True, exist_ok=True)
    print(f"trial {job.trial_id}  {label(job.recipe)}")
    terminal = sys.stderr.isatty()
    with (
        tqdm(disable=not terminal, unit="step", leave=False) as bar,
        processes.as_main_rank(job) as ranks,
    ):
        reporter = ConsoleReporter(record.folder / "log.txt", bar)
        state = run_trial(job, reporter.say, reporter.tick, ranks=ranks)
    if state != "done":
        print(f"trial {job.trial_id} {state}: see {record.folder / 'log.txt'}", file=sys.stderr)
        kind = (record.failure() or {}).get("kind")
        raise TrialFailed(ExitCode.STORAGE if kind == "storage" else ExitCode.FAILED)
    return _print_result(record)


def _print_result(record: Record) -> float:
    result = record.result()
    assert result is not None
    accuracy = reported_value(result)
    selected, weights = result["epochs"]["selected"] + 1, result["selected_weights"]
    print(
        f"test acc1 {accuracy:.2f} % at the selected epoch {selected} ({weights} weights),"
        f" {result['cost']['seconds']:.1f} s, {record.folder}"
    )
    return accuracy
