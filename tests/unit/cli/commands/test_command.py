"""Errors of argparse are one sentence that names the command's help."""

import pytest

from clip_hparam.cli.commands.command import CommandParser


def test_missing_argument_is_answered_with_the_help_of_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = CommandParser(prog="clip-hparam show")
    parser.add_argument("trial")
    with pytest.raises(SystemExit) as exit_:
        parser.parse_args([])
    assert exit_.value.code == 2
    assert capsys.readouterr().err == (
        "clip-hparam show: the following arguments are required: trial"
        " (see clip-hparam show --help)\n"
    )
