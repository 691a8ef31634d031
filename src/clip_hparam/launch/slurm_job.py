"""The old name of launch.slurm.job_main, for jobs that version 0.1.0 or older submitted."""

import sys
from pathlib import Path

from clip_hparam.launch.slurm.job_main import main

if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
