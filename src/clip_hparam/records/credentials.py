"""Passwords in storage URLs: they are passed to workers and never written or printed."""

import os
import re

PASSWORD_PATTERN = re.compile(r"(?<=://)([^:/@]*):([^@]*)@")
QUERY_PASSWORD_PATTERN = re.compile(r"([?&]password=)[^&]*")
STORAGE_VARIABLE = "CLIP_HPARAM_STORAGE"
"""Environment variable that holds the URL with its password for worker processes."""


def export_password(url: str) -> None:
    """Set the environment variable for processes started later, if the URL has a password."""
    if without_password(url) != url:
        os.environ[STORAGE_VARIABLE] = url


def with_password(url: str) -> str:
    """Return the URL with its password, if the environment variable holds this URL."""
    exported = os.environ.get(STORAGE_VARIABLE, url)
    return exported if without_password(exported) == url else url


def without_password(url: str) -> str:
    """Return the URL with *** in place of its password."""
    return QUERY_PASSWORD_PATTERN.sub(r"\1***", PASSWORD_PATTERN.sub(r"\1:***@", url))
