"""The machine that a trial runs on."""

from dataclasses import dataclass

from clip_hparam.config.knob import AUTO, knob, validate

DEFAULT_KERNELS = "fused"  # the value of machine.kernels=auto


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
    compile: str = knob(
        "auto",
        "auto | on | off",
        "compile the blocks of the tower; auto only where it takes less time than it saves",
    )
    loader_workers: int | str = knob(
        "auto",
        "auto | [0, inf)",
        "processes per rank that read image files; auto: a rank's CPU cores less one, 0 for"
        " images in"
        " memory",
    )
    rank_timeout: float = knob(
        300.0, "(0, inf)", "seconds without a sign of a rank after which the trial fails"
    )
    deterministic: bool = False  # algorithms with the same bits each time, also on a GPU; slower
    checkpoint_seconds: float = knob(60.0, "[0, inf)", "time between two checkpoints")

    def images_at_once(self, batch_size: int) -> int:
        """Return the micro-batch over all ranks; with auto the whole batch, its upper limit."""
        given = self.micro_batch
        return given if isinstance(given, int) and given else batch_size

    def __post_init__(self) -> None:
        validate(self, "machine.")

    def micro_batch_of_rank(self, ranks: int) -> int:
        """Return the images of a rank in memory at once; 0 for its whole batch, and for auto."""
        return 0 if self.micro_batch == AUTO else int(self.micro_batch) // ranks
