"""The controls of a ladder: zero-shot CLIP, a linear probe and random weights, as rows below it.

They are cells of the sweep `controls` on the same data, and part of no difference between rungs and
of no correction for several comparisons.
"""

import pandas as pd

from clip_hparam.analysis.evidence.ablations import CONTROLS, Ablation, ablation_of
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.images.image_level import by_images
from clip_hparam.analysis.evidence.replicates import NotSweptError, sweep_of
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.records.manifests.manifest import SweepManifest

DATA_COLUMNS = ["data.name", "data.fingerprint", "data.shots", "encoder.name"]
NO_CONTROLS = pd.DataFrame()


def control_evidence(frames: Frames, ablation: Ablation) -> pd.DataFrame:
    """Return `cell_evidence` of the controls of a ladder; empty without any on the same data.

    Raises:
        NotSweptError: the ladder is not on record.
    """
    if ablation.figure_kind != "ladder":
        return NO_CONTROLS
    wanted = _data_of(frames, sweep_of(frames, ablation))
    controls = ablation_of(frames, CONTROLS)
    try:
        sweep = sweep_of(frames, controls)
    except NotSweptError:
        return NO_CONTROLS
    if not wanted or _data_of(frames, sweep) != wanted:
        return NO_CONTROLS
    return by_images(cell_evidence(frames, controls))


def _data_of(frames: Frames, sweep: SweepManifest) -> set[tuple[object, ...]]:
    """Return data set, shots and encoder of the done trials of a sweep."""
    trials = frames.trials
    done = trials[trials["trial_id"].isin(sweep.trial_ids) & (trials["status"] == "done")]
    return set(done[DATA_COLUMNS].itertuples(index=False, name=None))
