"""Tests of tiny CLIP run on one thread, as its trials do."""

import pytest


@pytest.fixture(autouse=True)
def _one_thread(one_thread: None) -> None: ...
