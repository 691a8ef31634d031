"""The machine that a trial runs on."""

from dataclasses import dataclass

from clip_hparam.config.knob import knob, validate


@dataclass(frozen=True)
class Machine:
    """Settings that do not change the number of a trial by intent; never hashed."""

    runs: str = knob("runs", "/.+/", "folder of the records")
    device: str = knob(
        "auto",
        "/auto|cpu|cuda(:[0-9]+)?/",
        "auto is a GPU where there is one",
        hint="try auto, cpu, cuda or cuda:1",
    )
    device_name: str = knob(
        "A100", "V100 | A100 | H100 | H200", "GPU whose throughput predicts costs without records"
    )
    threads: int = knob(1, "[1, inf)", "CPU threads of one trial; the tiny tower always uses 1")
    micro_batch: int | str = knob(
        "auto",
        "auto | [0, inf)",
        "images in memory at once, over all ranks; 0 is the whole batch, auto on a GPU what fits",
    )
    activation_checkpointing: bool = knob(
        False,
        "false | true",
        "whether blocks compute their activations again in the backward pass, to save memory",
    )
    kernels: str = knob(
        "auto",
        "auto | reference | fused",
        "modules of the tower: open_clip's own, or faster ones that round differently",
    )
    loader_workers: int = knob(0, "[0, inf)", "processes that decode images")
    rank_timeout: float = knob(300.0, "(0, inf)", "seconds until a silent rank is given up")
    checkpoint_seconds: float = knob(60.0, "[0, inf)", "time between two checkpoints")

    def images_at_once(self, batch_size: int) -> int:
        """Return the micro-batch over all ranks; with auto the whole batch, its upper limit."""
        given = self.micro_batch
        return given if isinstance(given, int) and given else batch_size

    def __post_init__(self) -> None:
        validate(self, "machine.")
