"""The help of `clip-hparam` shows each command once, in a group, on a line that fits 80 columns."""

import pytest

from clip_hparam.cli.main import create_parser
from clip_hparam.cli.reference.overview import GROUPS, unknown_command_message


def test_every_command_is_in_one_group() -> None:
    listed = [name for group in GROUPS for name in group.names]
    assert sorted(listed) == sorted(create_parser().summaries)


def test_every_line_fits_80_columns_and_has_a_command_and_its_purpose() -> None:
    page = create_parser().format_help()
    lines = page.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    for name, summary in create_parser().summaries.items():
        assert [line for line in lines if line.split() == [name, *summary.split()]] != []
    assert page.index(GROUPS[0].title) < page.index(GROUPS[1].title) < page.index("Examples\n")


def test_commands_of_the_examples_exist() -> None:
    page = create_parser().format_help()
    examples = page[page.index("Examples\n") :].split("\n\n")[0].splitlines()[1:]
    assert {line.split()[1] for line in examples} <= set(create_parser().summaries)


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("statsu", "did you mean status"),
        ("qqqq", "clip-hparam --help lists them"),
        ("lr=1e-3", "type clip-hparam sweep lr=1e-3"),
    ],
)
def test_an_unknown_command_is_answered_with_what_to_type(word: str, advice: str) -> None:
    message = unknown_command_message(word)
    assert advice in message
    assert len(message) < 100
