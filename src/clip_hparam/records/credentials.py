"""The URL of a store and its password, which is on no disk and on no screen."""

import os
import re

STORAGE_VARIABLE = "CLIP_HPARAM_STORAGE"
"""Hands a URL with its password on to workers."""


def export_password(url: str) -> None:
    """Let processes that are started from now on know a URL with its password."""
    if without_password(url) != url:
        os.environ[STORAGE_VARIABLE] = url


def with_password(url: str) -> str:
    """The URL with the password that the environment has for it."""
    given = os.environ.get(STORAGE_VARIABLE, url)
    return given if without_password(given) == url else url


PASSWORD_PATTERN = re.compile(r"(?<=://)([^:/@]*):([^@]*)@")


QUERY_PASSWORD_PATTERN = re.compile(r"([?&]password=)[^&]*")


def without_password(url: str) -> str:
    """A URL without its password."""
    return QUERY_PASSWORD_PATTERN.sub(r"\1***", PASSWORD_PATTERN.sub(r"\1:***@", url))
