"""The page of `clip-hparam --help`: all commands by purpose, one line each."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from clip_hparam.config.knob import close_names


class CommandGroup(NamedTuple):
    """Commands for one purpose, in the order in which a user meets them."""

    title: str
    names: tuple[str, ...]


GROUPS = (
    CommandGroup("Run: train, continue, stop", ("demo", "sweep", "retry", "cancel")),
    CommandGroup(
        "What can be typed: settings, designs, recipes",
        ("knobs", "sweeps", "recipes", "describe", "completion"),
    ),
    CommandGroup("Look: sweeps and trials in the terminal", ("status", "top", "show", "why")),
    CommandGroup(
        "Analyse: tables, figures and reports of results",
        ("tables", "figures", "report", "dashboard", "compare", "summary", "fidelity", "import"),
    ),
    CommandGroup(
        "Weights: use, combine and score trained models",
        ("predict", "evaluate", "export", "soup", "wise-ft", "temperature"),
    ),
    CommandGroup("Images: check them before a run", ("data",)),
    CommandGroup(
        "Records: keep, move and share results",
        ("verify", "pack", "gc", "gather", "sync", "storage", "export-recipe"),
    ),
)
NAME_WIDTH = 15
USAGE = """\
usage: clip-hparam COMMAND [ARGUMENTS]
       clip-hparam COMMAND --help

Fine-tune CLIP in sweeps over hyper-parameters, and see which of them matter."""
EXAMPLES = """\
Examples
  clip-hparam demo                            a whole sweep in minutes, on a CPU
  clip-hparam sweep -m lr=3e-4,1e-3 seeds=3   two values, three seeds each
  clip-hparam status lr                       results of the sweep called lr
  clip-hparam top --where 'lr>5e-4'           the best trials of a part of all
  clip-hparam report                          all results on one HTML page

Options
  -h, --help     this page; after a command: its arguments
  --version      versions of this program, Python and Hydra

In a checkout, python sweep.py is clip-hparam sweep."""


def overview_lines(summaries: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of the page; summaries: a phrase for each command, by its name."""
    yield from USAGE.splitlines()
    for group in GROUPS:
        yield ""
        yield group.title
        for name in group.names:
            yield f"  {name:<{NAME_WIDTH}}{summaries[name]}"
    yield ""
    yield from EXAMPLES.splitlines()


def unknown_command_message(name: str) -> str:
    """Return the message about an unknown command."""
    known = [name for group in GROUPS for name in group.names]
    close = close_names(name, known)
    meant = f"did you mean {' or '.join(close)}?" if close else "clip-hparam --help lists them"
    if "=" in name:
        meant = f"to train with it, type clip-hparam sweep {name}"
    return f"no command is called {name}: {meant}"
