"""Kinds of figures and sweeps as typed become the names of files."""

import argparse
import shutil

import pandas as pd
import pytest

from clip_hparam.analysis.evidence.ablations import split_figure_name
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import SweepManifest
from clip_hparam.analysis.report.build import FigureLook
from clip_hparam.cli.analysis_app.figure_arguments import (
    add_figure_arguments,
    combine_kinds,
    figure_look,
)
from clip_hparam.cli.commands.command import UsageError


def frames(*names: str) -> Frames:
    sweeps = [
        SweepManifest(f"{name}-0", name, "grid", f"2026-{n:02}", ())
        for n, name in enumerate(names, 1)
    ]
    return Frames(pd.DataFrame(), pd.DataFrame(), sweeps, [])


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("lr", ["lr"]),
        ("curves lr", ["lr-curves"]),
        ("curves lr ema", ["lr-curves", "ema-curves"]),
        ("lr history ema slice lr", ["lr", "ema-history", "lr-slice"]),
        ("curves", ["curves"]),
        ("lr curves", ["lr", "curves"]),
        ("curves importance lr", ["curves", "lr-importance"]),
        ("curves lr curves lr", ["lr-curves"]),
        ("pareto", ["pareto"]),  # a sweep of this name is on record
    ],
)
def test_kinds_apply_to_the_sweeps_after_them(words: str, names: list[str]) -> None:
    assert combine_kinds(words.split(), frames("lr", "ema", "pareto")) == names


@pytest.mark.parametrize("words", ["history", "lr history", "history slice lr", "all"])
def test_kind_without_a_sweep_names_the_sweeps(words: str) -> None:
    with pytest.raises(UsageError, match="needs the name of a sweep after it: lr, ema"):
        combine_kinds(words.split(), frames("lr", "ema"))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("lr-curves", ("lr", "curves")),
        ("lr-1a2b", ("lr-1a2b", "")),
        ("my-history", ("my-history", "")),  # a sweep of this name
        ("my-history-history", ("my-history", "history")),
        ("-curves", ("-curves", "")),
    ],
)
def test_file_name_is_split_into_sweep_and_kind(name: str, parts: tuple[str, str]) -> None:
    assert split_figure_name(name, ["lr", "my-history"]) == parts


def look(*words: str) -> FigureLook:
    parser = argparse.ArgumentParser()
    add_figure_arguments(parser)
    return figure_look(parser.parse_args(words, argparse.Namespace(what="figures")))


def test_style_and_formats_as_typed() -> None:
    assert look() == FigureLook("paper", "", ("png", "pdf"))
    assert look("--format", "svg", "--format", "svg", "--style", "slides").formats == ("svg",)
    assert look("--width", "column").width == "column"


def test_pgf_without_latex_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(
        ValueError, match=r"--format pgf needs LaTeX .*: install one, or type --form"
    ):
        look("--format", "pgf")
