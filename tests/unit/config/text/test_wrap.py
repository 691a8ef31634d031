"""Lines are broken between words, and only where they are too long for a terminal."""

import io
import sys

import pytest

from clip_hparam.config.text.wrap import print_wrapped, terminal_columns, wrap_text

SENTENCE = "unknown knob lrr: did you mean lr? " + "A long explanation of it follows here. " * 4


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_no_line_is_longer_than_the_terminal_and_no_word_is_broken(columns: int) -> None:
    wrapped = wrap_text(SENTENCE, columns)
    assert max(map(len, wrapped.split("\n"))) <= columns
    assert wrapped.split() == SENTENCE.split()


def test_nothing_is_changed_outside_a_terminal() -> None:
    assert terminal_columns(io.StringIO()) is None
    assert wrap_text(SENTENCE, None) == SENTENCE


def test_the_width_is_that_of_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "55")
    assert terminal_columns(Terminal()) == 55
    monkeypatch.delenv("COLUMNS")
    assert terminal_columns(Terminal()) == 80


@pytest.mark.parametrize(
    "command",
    [
        "python sweep.py -m lr=1e-3,3e-3 'data.root=\"my photos\"' hydra/launcher=submitit_slurm",
        "clip-hparam why 0123456789ab --runs /a/folder/with/a/very/long/name/for/records",
        "clip-hparam status lr",
        "python sweep.py clip_grad=0 epochs=1 data.epoch_images=100 lr=1e+30 seed=0",
    ],
)
def test_a_command_to_copy_stays_on_one_line(command: str) -> None:
    wrapped = wrap_text(
        f"the trial did not end, so look at its log and type {command}; it helps", 60
    )
    assert any(command in line for line in wrapped.split("\n"))


def test_the_indentation_is_kept_and_spaces_inside_a_short_line_too() -> None:
    assert wrap_text("  one two three", 10) == "  one two\n  three"
    assert wrap_text("failure   one two three", 20) == "failure   one two\n          three"
    assert wrap_text("metrics   acc1 95 %", 80) == "metrics   acc1 95 %"


def test_texts_with_control_characters_are_left_alone() -> None:
    assert wrap_text("\x1b[1m" + SENTENCE, 20) == "\x1b[1m" + SENTENCE


def test_each_stream_has_its_own_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    print_wrapped(SENTENCE, to_stderr=True)
    print_wrapped(SENTENCE)
    assert max(map(len, sys.stderr.getvalue().splitlines())) <= 40
    assert sys.stdout.getvalue() == f"{SENTENCE}\n"
