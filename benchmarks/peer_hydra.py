"""Plain Hydra app that imports the training stack and does nothing: the cost of `-m x=range(n)`."""

import hydra
import open_clip  # noqa: F401
import timm  # noqa: F401
import torch  # noqa: F401
from omegaconf import DictConfig


@hydra.main(version_base="1.3", config_path=None)
def main(config: DictConfig) -> float:
    return 0.0


if __name__ == "__main__":
    main()
