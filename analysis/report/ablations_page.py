"""The page of all ablations on one data set: docs/ablations.md, its figures, its numbers as csv."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from clip_hparam.analysis.evidence.ablation_set import KnobResult, knob_results, ladder_verdicts
from clip_hparam.analysis.evidence.ablations import ablation_of
from clip_hparam.analysis.evidence.evidence import cell_evidence, trials_of
from clip_hparam.analysis.evidence.provenance import code_state
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import format_difference
from clip_hparam.analysis.tables.cell_table import Table, cell_table
from clip_hparam.analysis.tables.conclusions import conclusion
from clip_hparam.analysis.tables.render import to_markdown
from clip_hparam.records.atomic import write_atomic

STEM = "ablations"
HEAD = """# Ablations on {data}

Written by `make ablations DATA={data}` from the records; edit nothing here. Task, settings and
rules: [ablation_rules.md](ablation_rules.md), which was committed before a reported seed ran.

± is half of the 95 % t interval over seeds; a difference is paired by seed. Bold: its interval
excludes zero. The test set selects nothing.
"""
LIMITS = """
## What the evidence cannot say

- {seeds} seeds: the interval of a difference is ± {factor:.1f} standard errors. Cells that are not
  distinguished from noise are named above each table; their effect may be anything within it.
- One data set, and a tower of 0.3 M parameters: signs may be compared with those of ViT-B/16 on
  ImageNet-1K, sizes may not.
- The ladder is cumulative and not tuned again on this data set; each of the other designs changes
  one thing at the values of the recipe. Neither shows how knobs act together (`sweeps=factorial`).
- The paper has no tables of single knobs, so only the ladder is compared with it.
"""


def write_ablations(frames: Frames, folder: Path) -> list[Path]:
    """Write the page, its figures and the csv into the folder and return their paths.

    frames: what `ablation_frames` returns.

    Raises:
        OSError: the folder cannot be written.
    """
    from clip_hparam.analysis.figures import registry, style  # lazy: matplotlib, 0.5 s
    from clip_hparam.analysis.figures.parts.formats import save_figure

    figures: list[Path] = []
    names, plain = [sweep.name for sweep in frames.sweeps], with_plain_titles(frames)
    with style.use_style(style.find_style("paper")):
        for name in names:
            figure = registry.plot_figure(plain, name)
            figures += save_figure(figure, folder / STEM, name, ("png",))
    texts = {"md": page(frames), "csv": numbers(frames).to_csv(index=False)}
    for suffix, text in texts.items():
        write_atomic(folder / f"{STEM}.{suffix}", text.encode())
    return [*(folder / f"{STEM}.{suffix}" for suffix in texts), *figures]


def with_plain_titles(frames: Frames) -> Frames:
    """Return the frames with titles without overrides of all designs; the page lists them."""
    if len({sweep.difference for sweep in frames.sweeps}) > 1:
        return frames
    sweeps = [
        replace(sweep, title=sweep.title.removesuffix(sweep.difference)) for sweep in frames.sweeps
    ]
    return frames._replace(sweeps=sweeps)


def numbers(frames: Frames) -> pd.DataFrame:
    """Return a row per design and cell with unrounded numbers."""
    kept = ["cell", "n", "test_acc1", "ci_low", "ci_high", "delta", "delta_low", "delta_high"]
    kept += ["delta_p_holm", "paper_delta", "sign_agrees", "trials"]
    parts = []
    for sweep in frames.sweeps:
        ablation = ablation_of(frames, sweep.name)
        data = cell_evidence(frames, ablation).rename(columns={ablation.row: "cell"})
        parts.append(data[kept].assign(design=sweep.name))
    return pd.concat(parts)[["design", *kept]]


def page(frames: Frames) -> str:
    """Return the page as Markdown."""
    trials = _trials(frames)
    (data,) = set(trials["data.name"])
    facts = "\n".join(f"- {fact}" for fact in _facts(frames, trials))
    knobs = knob_results(frames)
    parts = [
        HEAD.format(data=data),
        f"{facts}\n",
        "## What agrees with the paper\n",
        to_markdown(_ladder_table(ladder_verdicts(frames))).strip(),
        *(["\n## What the tables of single knobs decide\n"] if knobs else []),
        *([to_markdown(_knob_table(knobs)).strip()] if knobs else []),
        LIMITS.format(seeds=len(frames.sweeps[0].cells[0].trials), factor=_factor(frames)),
        *(_section(with_plain_titles(frames), sweep.name) for sweep in frames.sweeps),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _facts(frames: Frames, trials: pd.DataFrame) -> Iterator[str]:
    """Yield date, machine, code and settings of the trials, as they recorded them."""
    days = trials["finished"].dropna().astype(str).str.slice(0, 10)
    yield f"Date: {' to '.join(sorted({days.min(), days.max()}))}"
    hours = trials["cost.seconds"].sum() / 3600
    yield f"Trials: {len(trials)} in {len(frames.sweeps)} designs, {hours:.2f} hours of a process"
    for title, column in (("Processor", "numerics.device_name"), ("torch", "versions.torch")):
        if column in trials:
            yield f"{title}: {', '.join(sorted(set(trials[column].dropna().astype(str))))}"
    yield f"Code: {code_state(trials)}"
    typed = frames.sweeps[0].difference.strip(" ()")
    yield f"Typed for all cells: `{typed}`" if typed else "Typed for all cells: nothing"


def _trials(frames: Frames) -> pd.DataFrame:
    """Return the done trials of all designs, each once."""
    evidence = [
        cell_evidence(frames, ablation_of(frames, sweep.name))[["trials"]]
        for sweep in frames.sweeps
    ]
    return trials_of(frames, pd.concat(evidence))


def _factor(frames: Frames) -> float:
    """Return the half-width of a 95 % t interval in standard errors."""
    from scipy.special import stdtrit  # lazy: scipy, 0.1 s

    return float(stdtrit(len(frames.sweeps[0].cells[0].trials) - 1, 0.975))


def _ladder_table(steps: pd.DataFrame) -> Table:
    rows = [
        {
            "step": str(row["rung"]),
            "Δ, points": format_difference(row["delta"], row["delta_low"], row["delta_high"]),
            "paper": ""
            if pd.isna(row["paper_delta"])
            else format_difference(row["paper_delta"], float("nan"), float("nan"), 1),
            "verdict": str(row["verdict"]),
        }
        for _, row in steps.iterrows()
    ]
    bold = [bool(mark) for mark in steps["delta_excludes_zero"]]
    return _table("Steps of the ladder, against the rung before", rows, bold, "Δ, points")


def _knob_table(results: Sequence[KnobResult]) -> Table:
    column = "test accuracy over the recipe, points"
    rows = [
        {
            "design": result.design,
            "recipe": result.reference,
            "best on the selection set": result.best,
            column: ""
            if not result.reference or result.best == result.reference
            else format_difference(result.gain.mean, result.gain.low, result.gain.high),
            "verdict": result.verdict,
        }
        for result in results
    ]
    title = "Designs of single knobs: the best cell beside the recipe of the sixth rung"
    return _table(title, rows, [result.gain.excludes_zero for result in results], column)


def _section(frames: Frames, name: str) -> str:
    ablation = ablation_of(frames, name)
    table = to_markdown(_without_cost(cell_table(frames, ablation))).strip()
    sentence = conclusion(frames, ablation)
    return f"## {ablation.title}\n\n{sentence}\n\n{table}\n\n![{name}]({STEM}/{name}.png)\n"


def _without_cost(table: Table) -> Table:
    """Return the table without notes and seconds; seconds depend on other load of the computer."""
    shown, bold = (
        part.drop(columns="cost, s", errors="ignore") for part in (table.shown, table.bold)
    )
    return table._replace(shown=shown, bold=bold, notes=[])


def _table(title: str, rows: list[dict[str, str]], bold: Sequence[bool], column: str) -> Table:
    shown = pd.DataFrame(rows, dtype="str")
    marks = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    marks[column] = [mark and shown[column][row] != "" for row, mark in enumerate(bold)]
    return Table(STEM, title, shown, shown, marks, [])
