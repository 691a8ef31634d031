"""docs/reference/record_schema.md: the keys of the files on disk, and the states of a trial."""

from clip_hparam.cli.reference_pages.markdown import code, page, table
from clip_hparam.cli.reference_pages.record_keys import FILES
from clip_hparam.records.record import SCHEMA_VERSION, SEALED_FILES
from clip_hparam.records.state import FINISHED, LIVE, TrialState

INTRODUCTION = f"""\
Version {SCHEMA_VERSION} of the format. What the files are for, and how the format may change, is
on [records](../records.md). A missing number is `null`. An *optional* key may be absent: older
records, or trials to which it does not apply."""
STATES = {
    TrialState.PLANNED: "is in the manifest of a sweep and has not started",
    TrialState.QUEUED: "waits for a worker or for Slurm, also after it saved its state and stopped",
    TrialState.RUNNING: "a process works on it and writes a heartbeat every 5 s",
    TrialState.DONE: "has a result.json; it is never trained again",
    TrialState.FAILED: "ended with an error; `clip-hparam why` shows it",
    TrialState.DIVERGED: "its loss became NaN or infinite",
    TrialState.LOST: "its process ended without writing why",
    TrialState.TIMEOUT: "reached the time limit of its job too often",
    TrialState.CANCELLED: "was stopped by `clip-hparam cancel` or the scheduler",
    TrialState.HELD: "Slurm holds its job until a person releases it",
    TrialState.PRUNED: "a search ended it early",
}


def record_page() -> str:
    """Return the page."""
    files = (
        f"### {name}\n\n"
        + table(
            ["key", "type", "meaning"],
            (
                [code(key.name), key.type, f"{key.meaning}{' (optional)' * key.optional}"]
                for key in keys
            ),
        )
        for name, keys in ((name.replace("<", "").replace(">", ""), FILES[name]) for name in FILES)
    )
    sealed = ", ".join(map(code, SEALED_FILES))
    return page(
        "Schema of the records",
        INTRODUCTION,
        "## Files",
        *files,
        f"`sha256` of result.json covers {sealed}.",
        "## States",
        table(["state", "meaning", ""], ([code(s.value), STATES[s], _role(s)] for s in TrialState)),
    )


def _role(state: TrialState) -> str:
    if state in FINISHED:
        return "not run again"
    return "in work" if state in LIVE else "the same command runs it"
