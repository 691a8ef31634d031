"""A seed that a random number generator does not take is refused when the trials are planned."""

from pathlib import Path

import pytest
from support.cli import SHORT, plan, sweep

LARGEST = 2**32 - 1
RANGE = "[0, 4294967295]"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("seed=-1",), f"seed=-1 is outside whole numbers of {RANGE}"),
        ((f"seed={2**32}",), f"seed={2**32} is outside whole numbers of {RANGE}"),
        (("-m", f"seed=0,{10**20}"), f"seed={10**20} is outside whole numbers of {RANGE}"),
        (("-m", "lr=1,2", f"seed={2**64}"), f"seed={2**64} is outside whole numbers of {RANGE}"),
        (("-m", "seeds=[3,-1]"), f"-1 is not a whole number of {RANGE}"),
        (("-m", f"seeds=[{2**32}]"), f"{2**32} is not a whole number of {RANGE}"),
        (("-m", f"seeds={2**32}"), "is a number of replicates, at most 10000"),
        (("-m", "seed=range(0,100000000000)"), "lists over 1,000,000 levels"),
        (("-m", f"seeds={{start:3,max:9,first:{LARGEST}}}"), "is not a race"),
        (("-m", "seeds={start:3,max:1000000000}"), "2 <= start < max <= 10000"),
        (
            ("-m", "sweeps=search", "hydra.sweeper.sampler.seed=-1"),
            f"a whole number of {RANGE}",
        ),
        (("-m", "sweeps=search", "hydra.sweeper.sampler.seed=x"), f"a whole number of {RANGE}"),
    ],
    ids=str,
)
def test_a_seed_outside_the_range_is_refused(
    words: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    done = plan(*words, *(["dry_run=true"] if "-m" in words else []), cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert list(tmp_path.iterdir()) == []


def test_the_largest_seed_trains(tmp_path: Path) -> None:
    done = sweep(*SHORT, f"seed={LARGEST}", "augment_backend=timm", "drop_path=0.1", cwd=tmp_path)
    assert done.code == 0, done.err
