"""Log messages of a trial go to the given handlers, while they are attached."""

import logging
from pathlib import Path

import pytest

from clip_hparam.launch.log import PrintHandler, log_to

logger = logging.getLogger("clip_hparam.training.trial")


def test_messages_go_to_the_file_and_to_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.txt"
    for message in ("first", "second"):
        with log_to(logging.FileHandler(log, delay=True), PrintHandler()):
            logger.info(message)
        logger.info("not shown")
    assert log.read_text() == "first\nsecond\n"
    assert capsys.readouterr() == ("first\nsecond\n", "")


def test_nothing_is_printed_without_a_handler(capsys: pytest.CaptureFixture[str]) -> None:
    with log_to():
        logger.error("not shown")
    assert capsys.readouterr() == ("", "")
