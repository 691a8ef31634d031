"""Train one rank of a trial in float64, as a Slurm task, and write its outcome to FOLDER.

python -m support.slurm_float64_rank FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import torch

from clip_hparam.distributed import create_context
from clip_hparam.launch.slurm.job_main import rank_environment
from clip_hparam.training.ranks.connection import connect_ranks
from support.float64_trial import trained

SECONDS = 60.0

if __name__ == "__main__":
    torch.set_num_threads(1)
    own = create_context(rank_environment(), SECONDS)
    with connect_ranks(own, torch.device("cpu"), SECONDS):
        outcome = trained(own)
    np.savez(Path(sys.argv[1]) / f"{own.rank}.npz", **outcome)
