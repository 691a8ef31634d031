"""Write the records of `sweeps=landscape` to benchmarks/data/landscape.csv: one row per trial.

python benchmarks/landscape.py RUNS     the last step of `make landscape`

Columns: the five knobs, `seed`, `test_acc1` at the selected epoch, and `selection_acc1.N` after N
epochs, in percent.
"""

import sys
from pathlib import Path

import pandas as pd

from clip_hparam.analysis.frames.frame import load, reported_values
from clip_hparam.analysis.frames.manifests import newest_by_name

KNOBS = ["lr", "layer_decay", "mixup", "crop_scale", "label_smoothing"]
TABLE = Path(__file__).parent / "data" / "landscape.csv"


def recorded(runs: Path) -> pd.DataFrame:
    """Return the table of the sweep. Raises SystemExit if a trial is missing."""
    frames = load(runs)
    sweep = newest_by_name(frames.sweeps)["landscape"]
    ids = [trial for cell in sweep.cells for trial in cell.trials.values()]
    trials = frames.trials.set_index("trial_id").reindex(ids)
    trials["test_acc1"] = reported_values(trials)
    if missing := int(trials["test_acc1"].isna().sum()):
        raise SystemExit(
            f"{missing} of {len(ids)} trials are missing: type make landscape to run them"
        )
    curves = frames.epochs.pivot_table(
        index="trial_id", columns=frames.epochs["epoch"] + 1, values="selection_acc1.raw"
    )
    table = trials[[*KNOBS, "seed", "test_acc1"]].join(curves.add_prefix("selection_acc1."))
    accuracies = [name for name in table if "acc1" in name]
    table[accuracies] = table[accuracies].round(3)
    return table.astype({"seed": int}).sort_values([*KNOBS, "seed"])


def main() -> None:
    table = recorded(Path(sys.argv[1]))
    TABLE.parent.mkdir(exist_ok=True)
    table.to_csv(TABLE, index=False)
    print(f"{TABLE}: {len(table)} trials, {TABLE.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
