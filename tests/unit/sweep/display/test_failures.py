"""Trials with one reason share a line; trials with different reasons have a line each."""

from clip_hparam.sweep.display.failures import MAX_NAMED, Ended, failure_lines

MEMORY = "out of memory: the trial trains 512 images at once: try machine.micro_batch=256"


def ended(number: int, message: str, state: str = "failed") -> Ended:
    return Ended(f"id{number}", f"lr=0.1 seed={number}", state, message, f"see log{number}")


def test_equal_reasons_are_printed_once_with_the_names_of_their_trials() -> None:
    lines = list(failure_lines([ended(number, MEMORY) for number in range(MAX_NAMED)]))
    assert lines[0] == f"{MAX_NAMED} failed: {MEMORY} (see log0)"
    assert lines[1:] == [f"  id{number}  lr=0.1 seed={number}" for number in range(MAX_NAMED)]


def test_the_names_beyond_the_first_are_counted() -> None:
    *_, last = failure_lines([ended(number, MEMORY) for number in range(MAX_NAMED + 3)])
    assert last == "  and 3 more"


def test_reasons_that_differ_in_numbers_only_are_one() -> None:
    trials = [ended(n, f"process {n} on node7 ended", "lost") for n in (11, 12)]
    first = next(failure_lines(trials))
    assert first == "2 lost, the first: process 11 on node7 ended (see log11)"


def test_other_reasons_and_states_have_lines_of_their_own() -> None:
    trials = [ended(1, "the loss is NaN"), ended(4, "diverged at step 2", "diverged")]
    assert list(failure_lines(trials))[1] == "id4 diverged at step 2 (see log4)"
    trials = [ended(1, "the loss is NaN"), ended(2, MEMORY), ended(3, MEMORY, "lost")]
    assert list(failure_lines(trials)) == [
        "id1 failed: the loss is NaN (see log1)",
        f"id2 failed: {MEMORY} (see log2)",
        f"id3 lost: {MEMORY} (see log3)",
    ]
