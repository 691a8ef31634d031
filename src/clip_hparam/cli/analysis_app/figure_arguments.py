"""Arguments of `figures`: which kinds of figures of which sweeps, in which style and format."""

import argparse
from collections.abc import Sequence

from clip_hparam.analysis.evidence.ablations import FIGURE_KINDS
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import find_sweeps, output_names
from clip_hparam.analysis.report.build import FigureLook
from clip_hparam.cli.commands.command import UsageError

STYLES, WIDTHS, FORMATS = ("paper", "slides"), ("column", "page"), ("png", "pdf", "svg", "pgf")
ALONE = ("curves", "importance", "parallel", "best_of_n")  # figures also of all records
EVERY = "all"


def add_figure_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `figures`, and its help about kinds."""
    parser.add_argument("--style", choices=STYLES, default="paper", help="sizes (paper)")
    parser.add_argument(
        "--width", choices=WIDTHS, default="", help="of a paper's figures: one column or the page"
    )
    parser.add_argument(
        "--format", choices=FORMATS, action="append", help="repeatable (png and pdf)"
    )
    kinds = ", ".join((*FIGURE_KINDS, EVERY))
    parser.epilog = (
        "NAME: a sweep, for the figure that suits its design. KIND NAME ...: a figure of this kind"
        f" for each sweep. Kinds: {kinds}."
    )


def figure_look(arguments: argparse.Namespace) -> FigureLook:
    """Return the style and the formats that were typed; the defaults for tables.

    Raises:
        ValueError: a format needs LaTeX, which is not installed.
    """
    if arguments.what != "figures":
        return FigureLook()
    formats = tuple(dict.fromkeys(arguments.format or ("png", "pdf")))
    if "pgf" in formats:
        from clip_hparam.analysis.figures.parts.formats import find_tex  # lazy: matplotlib, 0.5 s

        find_tex()
    return FigureLook(arguments.style, arguments.width, formats)


def combine_kinds(words: Sequence[str], frames: Frames) -> list[str]:
    """Return the file names of figures: "lr-curves" for the words `curves lr`.

    A kind applies to all sweeps that follow, up to the next kind.

    Raises:
        UsageError: no sweep follows a kind that needs one.
    """
    names: list[str] = []
    kind, count = "", 0
    for word in words:
        if _is_kind(word, frames):
            _validate_count(kind, count, names, frames)
            kind, count = word, 0
        else:
            names += _figures_of(word, kind, frames)
            count += 1
    _validate_count(kind, count, names, frames)
    return list(dict.fromkeys(names))


def _is_kind(word: str, frames: Frames) -> bool:
    return word in (*FIGURE_KINDS, EVERY) and not find_sweeps(frames.sweeps, word)


def _validate_count(kind: str, count: int, names: list[str], frames: Frames) -> None:
    """Take a kind without a sweep as the figure of all records; else raise UsageError."""
    if not kind or count:
        return
    if kind not in ALONE:
        known = ", ".join(output_names(frames.sweeps)) or "none on record"
        raise UsageError(f"figures {kind} needs the name of a sweep after it: {known}")
    names.append(kind)


def _figures_of(word: str, kind: str, frames: Frames) -> list[str]:
    if not kind:
        return [word]
    if kind != EVERY:
        return [f"{word}-{kind}"]
    if not find_sweeps(frames.sweeps, word):
        return [f"{word}-{FIGURE_KINDS[0]}"]  # its error names the sweeps
    from clip_hparam.analysis.figures.registry import available_kinds  # lazy: matplotlib, 0.5 s

    return [word, *(f"{word}-{found}" for found in available_kinds(frames, word))]
