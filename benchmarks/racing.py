"""Power and cost of racing and of other sequential tests, simulated, without training.

python benchmarks/racing.py [DRAWS]     Markdown for RESULTS.md, half a minute

Differences are normal; an effect is in standard deviations of a paired difference. Racing is
clip_hparam/design/racing.py. Its peers: all seeds and a single plain t test; a plain t test at each
look; and an anytime-valid t test, which allows any number of looks and needs no maximum (a normal
prior of one standard deviation on the effect, right-Haar on the scale).

Source of the anytime-valid test: Wang & Ramdas 2024.
"""

import sys

import numpy as np
from scipy.special import stdtrit

from clip_hparam.design.racing import ERROR_RATE, Race, boundary, simulate_t_statistics

RACE = Race(3, 10)
EFFECTS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
DRAWS = 100_000
QUICK = ["1000"]


def anytime_bounds(counts: np.ndarray, prior: float = 1.0) -> np.ndarray:
    """Return the |t| at which the likelihood ratio reaches 1 / ERROR_RATE, or infinity."""
    shrunk = 1 + counts * prior**2
    ratio = (np.sqrt(shrunk) / ERROR_RATE) ** (2 / counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.sqrt((ratio - 1) * (counts - 1) / (1 - ratio / shrunk))
    return np.where(ratio < shrunk, t, np.inf)


def main() -> None:
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    looks = np.array(RACE.looks)
    plain = stdtrit(looks - 1, 1 - ERROR_RATE / 2)
    only_last = np.where(looks == RACE.max, plain, np.inf)
    ways = {
        "racing": np.array([boundary(RACE, n) for n in RACE.looks]),
        "all seeds, one t test": only_last,
        "a t test at each look": plain,
        "anytime-valid t test": anytime_bounds(looks),
    }
    print(f"From {RACE.start} seeds up to {RACE.max}; found, and mean seeds of the cell:\n")
    print("| effect | " + " | ".join(ways) + " |\n" + "|---" * (len(ways) + 1) + "|")
    for effect in EFFECTS:
        t = simulate_t_statistics(draws, RACE.max, seed=1, effect=effect)[:, looks - 2]
        row = []
        for bounds in ways.values():
            passed = t >= bounds
            found = passed.any(axis=1)
            used = np.where(found, looks[passed.argmax(axis=1)], RACE.max)
            row.append(f"{found.mean():.1%}, {used.mean():.1f}")
        print(f"| {effect:g} | " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
