"""A factorial sweep's main effects and interactions: as numbers, as a table, as a figure."""

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.sweep_effects import sweep_effects
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.stats.factorial import FactorialEffect
from clip_hparam.analysis.stats.intervals import holm
from clip_hparam.analysis.tables.footnotes import footnotes
from clip_hparam.analysis.tables.table import Table, format_difference

EFFECTS_NOTE = (
    "An effect is the mean accuracy with the factor less that without it, over all settings of the"
    " others; a:b is half of what one does to the effect of the other. 95 % t interval over seeds."
    " Bold: the interval excludes zero (Holm-adjusted p over the table: csv)."
)


def effects_table(frames: Frames, ablation: Ablation) -> Table:
    """Raises NotSweptError, and ValueError where the cells are no factorial design."""
    effects = sweep_effects(frames, ablation)
    data = pd.DataFrame([_row(effect) for effect in effects])
    data["p_holm"] = holm(list(data["p"]))
    shown = pd.DataFrame({
        "effect": data["effect"],
        "Δ, points": [format_difference(*one.estimate[:3]) for one in effects],
        "seeds": data["n"].astype(str),
    }, dtype="str")  # fmt: skip
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    bold["Δ, points"] = [one.estimate.excludes_zero for one in effects]
    first, selection, *_ = footnotes(frames, ablation, cell_evidence(frames, ablation))
    title = f"{ablation.title}: main effects and interactions"
    return Table(
        f"{ablation.name}_effects", title, data, shown, bold, [first, selection, EFFECTS_NOTE]
    )


def _row(effect: FactorialEffect) -> dict[str, object]:
    one = effect.estimate
    return {
        "effect": effect.label, "delta": one.mean, "delta_low": one.low, "delta_high": one.high,
        "n": one.n, "why": one.why, "p": one.p,
    }  # fmt: skip
