"""The table of a factorial sweep's main effects and interactions."""

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.images.image_level import has_one_seed
from clip_hparam.analysis.evidence.sweep_effects import sweep_effects
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import format_difference
from clip_hparam.analysis.stats.factorial import FactorialEffect
from clip_hparam.analysis.stats.intervals import holm
from clip_hparam.analysis.tables.cell_table import Table
from clip_hparam.analysis.tables.footnotes import footnotes
from clip_hparam.analysis.tables.registry import sweep_table

EFFECTS_NOTE = (
    "An effect is the mean accuracy with a factor minus the mean accuracy without it, over all"
    " settings of the other factors. An interaction a:b is half the change of the effect of a when"
    " b is added. 95 % t interval over {what}. Bold: the interval excludes zero (Holm-adjusted p"
    " over the table: csv)."
)
OVER_IMAGES = "the paired test images of one seed, which says nothing about other seeds"


@sweep_table("effects", "factorial")
def effects_table(frames: Frames, ablation: Ablation) -> Table:
    """Return the table of main effects and interactions.

    Raises:
        NotSweptError: the sweep has no record yet.
        ValueError: the cells are no factorial design.
    """
    effects = sweep_effects(frames, ablation)
    data = effects_data(effects)
    evidence = cell_evidence(frames, ablation)
    over_images = has_one_seed(evidence)
    shown = pd.DataFrame({
        "effect": data["effect"],
        "Δ, points": [format_difference(*effect.estimate[:3]) for effect in effects],
        "test images" if over_images else "seeds": data["n"].astype(str),
    }, dtype="str")  # fmt: skip
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    bold["Δ, points"] = [effect.estimate.excludes_zero for effect in effects]
    runs, selection, *_ = footnotes(frames, ablation, evidence)
    title = f"{ablation.title}: main effects and interactions"
    note = EFFECTS_NOTE.format(what=OVER_IMAGES if over_images else "seeds")
    notes = [runs, selection, note]
    return Table(f"{ablation.name}_effects", title, data, shown, bold, notes)


def effects_data(effects: list[FactorialEffect]) -> pd.DataFrame:
    """Return one row per effect, with the Holm-adjusted p over all rows."""
    data = pd.DataFrame([_row(effect) for effect in effects])
    data["p_holm"] = holm(list(data["p"]))
    return data


def _row(effect: FactorialEffect) -> dict[str, object]:
    delta = effect.estimate
    return {
        "effect": effect.label,
        "delta": delta.mean, "delta_low": delta.low, "delta_high": delta.high,
        "n": delta.n, "why": delta.why, "p": delta.p,
    }  # fmt: skip
