"""docs/reference/api.md: the public functions and classes."""

import ast
from collections.abc import Iterator

from clip_hparam.cli.reference_pages.docstrings import (
    docstring_text,
    find_definition,
    is_property,
    public_methods,
    signature,
)
from clip_hparam.cli.reference_pages.markdown import page

INTRODUCTION = """\
The names that scripts and notebooks use; [Python](../python.md) shows them at work. Names of the
first two sections are imported from `clip_hparam`, the others from the module that is given.
Names that begin with an underscore, and modules that are not listed, may change."""
API: dict[str, tuple[str, ...]] = {
    "Trials": (
        "config.recipe.Recipe",
        "config.recipe.Encoder",
        "config.recipe.Data",
        "config.machine.Machine",
        "config.trial_spec.TrialSpec",
        "planning.resolve.resolve",
        "config.identity.trial_id",
        "training.trial.run_trial",
    ),
    "Records and frames": (
        "analysis.frames.frame.load",
        "analysis.frames.frame.Frames",
        "records.record.Record",
    ),
    "Results of trials": (
        "analysis.frames.frame.reported_values",
        "analysis.evidence.images.correct_bits.read_correct",
        "analysis.evidence.images.correct_bits.read_classes",
        "analysis.evidence.images.predictions.read_predictions",
        "analysis.evidence.images.predictions.SetPredictions",
        "analysis.evidence.images.predictions.read_errors",
        "analysis.evidence.images.predictions.ConfidentError",
        "analysis.frames.schema.schema_violations",
    ),
    "Comparisons": (
        "analysis.evidence.compare.compare_cells",
        "analysis.evidence.compare.Comparison",
    ),
    "Statistics of plain numbers": (
        "analysis.stats.intervals.estimate",
        "analysis.stats.intervals.Estimate",
        "analysis.stats.intervals.paired_differences",
        "analysis.stats.intervals.holm",
        "analysis.stats.binomial.wilson_interval",
        "analysis.stats.binomial.mcnemar",
        "analysis.stats.bootstrap.seed_image_interval",
        "analysis.stats.power.power",
        "analysis.stats.power.seeds_needed",
        "analysis.stats.expected_best.expected_best",
    ),
    "Extensions": (
        "data.datasets.DatasetSpec",
        "model.architectures.EncoderSpec",
        "training.metrics.predictions.Predictions",
        "training.callbacks.trackers.tracker.TrackedRun",
        "training.callbacks.trackers.tracker.Tracker",
    ),
}
KNOB_CLASSES = ("Recipe", "Encoder", "Data", "Machine")
"""Classes whose fields are on the page of knobs."""


def api_page() -> str:
    """Return the page."""
    return page("Python", INTRODUCTION, *(part for name in API for part in _group_parts(name)))


def _group_parts(group: str) -> Iterator[str]:
    yield f"## {group}"
    for dotted in API[group]:
        module, _, name = dotted.rpartition(".")
        yield from _object_parts(module, name)


def _object_parts(module: str, name: str) -> Iterator[str]:
    node = find_definition(module, name)
    shown = f"class {name}(KNOB=VALUE, ...)" if name in KNOB_CLASSES else signature(node)
    yield f"### {name}\n\n```python\n{shown}\n```"
    yield f"From `clip_hparam.{module}`. {docstring_text(node)}"
    if name in KNOB_CLASSES:
        yield "Its fields are [knobs](knobs.md)."
    if isinstance(node, ast.ClassDef):
        yield from map(_method_text, public_methods(node))


def _method_text(method: ast.FunctionDef) -> str:
    shown = method.name if is_property(method) else _without_self(signature(method))
    return f"```python\n.{shown}\n```\n\n{docstring_text(method)}"


def _without_self(text: str) -> str:
    return text.replace("(self)", "()").replace("self, ", "").replace("    self,\n", "")
