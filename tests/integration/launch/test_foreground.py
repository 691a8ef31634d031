"""A trial in the foreground: the same lines on stdout and in log.txt, and its exit codes."""

from pathlib import Path

from support.cli import SHORT, plan, records

FIRST_ROWS = ["data", "training set", "selection set", "test set", "machine"]


def test_lines_of_the_log_are_printed(tmp_path: Path) -> None:
    done = plan(*SHORT, cwd=tmp_path)
    assert done.code == 0, done.err
    (record,) = records(tmp_path)
    log = (record.folder / "log.txt").read_text()
    *facts, epoch = log.splitlines()
    assert [line.partition(":")[0] for line in facts] == FIRST_ROWS
    assert epoch.startswith("epoch 1/")
    first, *lines, last = done.out.splitlines(keepends=True)
    assert first.startswith(f"trial {record.trial_id}  ")
    assert "".join(lines) == log
    assert last.startswith("test acc1 ")
    again = plan(*SHORT, cwd=tmp_path)
    assert again.out.splitlines(keepends=True)[0].startswith(f"trial {record.trial_id} is done")
    assert again.out.splitlines(keepends=True)[1:] == [last]


def test_error_is_logged_and_printed_with_exit_code_1(tmp_path: Path) -> None:
    done = plan(*SHORT, "lr=1e30", "clip_grad=0", cwd=tmp_path)
    assert done.code == 1
    (record,) = records(tmp_path)
    log = (record.folder / "log.txt").read_text()
    assert [line.partition(":")[0] for line in log.splitlines()[:-1]] == FIRST_ROWS
    assert log.splitlines()[-1] == (record.failure() or {})["message"]
    assert log.splitlines()[-1].startswith("diverged at step ")
    assert log in done.out
    log_path = Path("runs") / record.trial_id / "log.txt"
    assert done.err == f"trial {record.trial_id} diverged: see {log_path}\n"
