"""The evaluation sets of the driver key `eval_sets` that trials on record were evaluated on."""

import logging
from collections.abc import Iterable

from clip_hparam.config.options.eval_set_words import parse_word
from clip_hparam.data.dataset import EvalSet, ImageDataset
from clip_hparam.data.evaluation_sets.load import PREFIX, load_eval_sets
from clip_hparam.records.record import Record

logger = logging.getLogger(__name__)


def recorded_sets(records: Iterable[Record], dataset: ImageDataset) -> dict[str, EvalSet]:
    """Return the sets by "eval.NAME"; those with other images now are left out, with a warning.

    dataset: that of the trials.
    """
    sets: dict[str, EvalSet] = {}
    left_out: set[str] = set()
    for record in records:
        words = {parse_word(word).name: word for word in record.status().get("eval_sets", ())}
        for name, facts in (record.result() or {}).get("eval_sets", {}).items():
            if f"{PREFIX}{name}" in sets or name in left_out:
                continue
            try:
                loaded = _load(words.get(name, name), facts["fingerprint"], dataset)
            except (ValueError, OSError) as error:
                left_out.add(name)
                logger.warning("%s%s is left out: %s", PREFIX, name, error)
            else:
                sets[f"{PREFIX}{name}"] = loaded
    return sets


def _load(word: str, fingerprint: str, dataset: ImageDataset) -> EvalSet:
    """Return the set of a word. Raises ValueError or OSError if it is not the recorded one."""
    (eval_set,) = load_eval_sets(dataset, [word]).values()
    if eval_set.fingerprint != fingerprint:
        raise ValueError(f"the images of {word} are not those that the trial was evaluated on")
    return eval_set
