"""The URL of a store and its password, which is on no disk and on no screen."""

import os

from clip_hparam.records.provenance import masked

ENVIRONMENT = "CLIP_HPARAM_STORAGE"
"""Hands a URL with its password on to workers."""


def hand_on(url: str) -> None:
    """Let processes that are started from now on know a URL with its password."""
    if masked(url) != url:
        os.environ[ENVIRONMENT] = url


def unmasked(url: str) -> str:
    """The URL with the password that the environment has for it."""
    given = os.environ.get(ENVIRONMENT, url)
    return given if masked(given) == url else url
