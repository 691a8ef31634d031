"""A plain Hydra app that does nothing for a while, for hydra-submitit-launcher; no training stack.

Its process id goes to a file in $STARTED, so that it can be killed.
"""

import os
import time
from pathlib import Path

import hydra
from omegaconf import DictConfig


@hydra.main(version_base="1.3", config_path=None)
def main(config: DictConfig) -> float:
    (Path(os.environ["STARTED"]) / "pid").write_text(str(os.getpid()))
    time.sleep(config.get("seconds", 0))
    return 0.0


if __name__ == "__main__":
    main()
