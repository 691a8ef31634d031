"""docs/reference/environment.md: exit codes and environment variables."""

from clip_hparam.cli.reference_pages.markdown import code, page, table
from clip_hparam.config.exit_codes import ExitCode

MEANINGS = {
    ExitCode.OK: "all is done",
    ExitCode.FAILED: "`sweep`: a trial failed, and the others ran; also a replay that differs",
    ExitCode.WRONG_USE: "a mistake in the command, the configuration or the data; nothing started",
    ExitCode.STORAGE: "the disk, the scheduler or the network of a tracker does not work; fix it,"
    " and run the same command again to continue",
    ExitCode.INCOMPLETE: "`--strict` of `tables`, `figures` and others: a planned run has no number"
    " yet",
    ExitCode.INTERRUPTED: "Ctrl-C or SIGTERM; run the same command again to continue",
}
OURS = {
    "CLIP_HPARAM_CACHE": "folder of the user's cache: hashes of large files, checks of images,"
    " compiled code; may be deleted (`$XDG_CACHE_HOME/clip-hparam`, else `~/.cache/clip-hparam`)",
    "CLIP_HPARAM_RUNS": "folder of the records, read by the notebooks only",
}
"""Variables that a user may set, and meaning (default)."""
INTERNAL = {
    "CLIP_HPARAM_CORES": "CPU cores of a trial, where a launcher divided those of the computer",
    "CLIP_HPARAM_DATA": "data sets that the process which forks trials loads once",
    "CLIP_HPARAM_STORAGE": "URL of a search's database with its password, for workers",
    "CLIP_HPARAM_TRACED": "trials whose code the process that forks trials imports once",
}
"""Variables that our processes set for their children."""
OTHERS = {
    "CC": "compiler that torch.compile uses; without one `machine.compile=auto` is off",
    "COLUMNS": "width of the output in characters, in place of that of the terminal",
    "CUBLAS_WORKSPACE_CONFIG": "kept where it is legal for `machine.deterministic=true`, else set",
    "CUDA_VISIBLE_DEVICES": "GPUs that trials are spread over",
    "CXX": "as CC",
    "HYDRA_FULL_ERROR": "1: tracebacks in place of sentences about mistakes",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "repetitions of a request of `sync mlflow`; 2 by default",
    "MLFLOW_TRACKING_URI": "server of `tracker=mlflow`",
    "NETRC": "file with the login of `tracker=wandb`",
    "TORCHINDUCTOR_CACHE_DIR": "folder of compiled code; in the user's cache by default",
    "WANDB_API_KEY": "login of `tracker=wandb`; without one its runs are offline",
    "WANDB_BASE_URL": "server of `tracker=wandb`",
    "WANDB_MODE": "`offline` or `online`, as in W&B",
    "WANDB_PROJECT": "project of `tracker=wandb`; `clip-hparam` by default",
    "XDG_CACHE_HOME": "see CLIP_HPARAM_CACHE",
}
"""Variables of other programs that this project reads; their packages read more."""
INTRODUCTION_OTHERS = """\
`HF_HOME` and `HF_HUB_OFFLINE` act on open_clip's download of weights, `NO_COLOR` on all
terminal output, `OMP_NUM_THREADS` on processes other than trials, which set it from
`machine.threads`."""
REFERENCES = """\
In overrides and designs, `${oc.env:NAME}` reads a variable whose name begins with `CLIP_HPARAM_`
([references](../sweeps.md#references-quoting-and-what-is-refused))."""


def environment_page() -> str:
    """Return the page."""
    codes = (
        [str(int(exit_code)), code(exit_code.name), MEANINGS[exit_code]] for exit_code in ExitCode
    )
    return page(
        "Exit codes and environment",
        "## Exit codes\n\nOf `sweep.py`, `clip-hparam`, `python -m analysis` and Slurm jobs.",
        table(["code", "name", "meaning"], codes),
        "## Environment variables\n\nTo set:",
        _variables(OURS),
        REFERENCES,
        "Set by launchers for the processes that they start; not to be set by hand:",
        _variables(INTERNAL),
        "Of other programs:",
        _variables(OTHERS),
        INTRODUCTION_OTHERS,
        "Slurm's own variables (`SLURM_*`) are read in its jobs.",
    )


def _variables(meanings: dict[str, str]) -> str:
    return table(["variable", "meaning"], ([code(name), meanings[name]] for name in meanings))
