"""Plain Hydra app that sleeps, for hydra-submitit-launcher; imports no training stack.

It writes its process id to the file $STARTED/pid, so that the benchmark can kill it.
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
