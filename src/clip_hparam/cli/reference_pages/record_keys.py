"""The keys of the JSON files of a record, in the order in which they are written.

A test compares them with the files of a trial. Parts of a mapping follow it, with a dot; `*` stands
for any name.
"""

from typing import NamedTuple


class RecordKey(NamedTuple):
    """optional: whether a record without the key is valid."""

    name: str
    type: str
    meaning: str
    optional: bool = False


SCHEMA = RecordKey("schema", "int", "version of the format, 1")
TRIAL_ID = RecordKey("trial_id", "str", "12 hex digits, the name of the folder")
NUMERICS = (
    RecordKey("numerics", "object", "settings that influence bits, as they were"),
    RecordKey("numerics.device", "str", "cpu, cuda:0, ..."),
    RecordKey("numerics.device_name", "str", "name of the processor or GPU"),
    RecordKey("numerics.threads", "int", "CPU threads"),
    RecordKey("numerics.attention", "str", "kernel of attention"),
    RecordKey("numerics.compile", "bool", "whether training steps were compiled"),
    RecordKey("numerics.deterministic", "bool", "deterministic algorithms"),
    RecordKey("numerics.ranks", "int", "processes of the trial"),
    RecordKey("numerics.kernels", "str", "modules of the tower: fused, reference", True),
    RecordKey("numerics.matmul_precision", "str", "of float32 products: highest, high", True),
    RecordKey("numerics.micro_batch", "int", "images at once, 0 is the whole batch", True),
    RecordKey("numerics.gradients", "str", "how three ranks or more average gradients", True),
    RecordKey("numerics.changes", "int", "attempts with other numerics than the one before", True),
    RecordKey("numerics_of_attempts", "list", "the numerics of each change", True),
)
RECIPE_FILE = (
    SCHEMA,
    TRIAL_ID,
    RecordKey("label", "str", "the overrides that were typed"),
    RecordKey("recipe", "object", "each hashed knob, nested as `encoder` and `data`"),
)
STATUS_FILE = (
    SCHEMA,
    RecordKey("state", "str", "a state of the list below"),
    RecordKey("heartbeat", "str", "time of the last write, UTC"),
    RecordKey("host", "str", "computer"),
    RecordKey("pid", "int", "process"),
    RecordKey("job", "str or null", "id of the Slurm job"),
    RecordKey("attempt", "int", "number of starts, from 1"),
    RecordKey("overrides", "list of str", "as typed for the trial", True),
    RecordKey("places", "object", "absolute paths of data and weights", True),
    RecordKey("eval_sets", "list of str", "the evaluation sets, with absolute paths", True),
    *NUMERICS,
    RecordKey("step", "int", "optimizer steps of the last checkpoint", True),
    RecordKey("replayed", "object", "outputs that a replay added, its time and code", True),
)
METRICS_FILE = (
    RecordKey("epoch", "int", "counted from 0"),
    RecordKey("step", "int", "optimizer steps so far"),
    RecordKey("lr", "float", "learning rate of the head at the last step"),
    RecordKey("train_loss", "float", "mean over the epoch"),
    RecordKey("img_per_s", "float", "training images a second"),
    RecordKey("wait", "float", "share of the training time spent waiting for images", True),
    RecordKey("selection_*.*", "float", "accuracies and loss by weights, raw and ema"),
    RecordKey("test_*.*", "float", "the same on the test set, with eval_test=epoch", True),
    RecordKey("seconds", "float", "of the epoch, evaluation included"),
)
RESULT_FILE = (
    SCHEMA,
    TRIAL_ID,
    RecordKey("metrics", "object", "float or null by [column](../frame.md#trials)"),
    RecordKey("epochs", "object", "`selected` and `last`, counted from 0"),
    RecordKey("selected_weights", "str", "raw or ema: the weights that are reported"),
    RecordKey("steps", "int", "optimizer steps"),
    RecordKey("images", "object", "numbers: classes, train, selection, test, skipped", True),
    RecordKey("cost", "object", "seconds, train_seconds, gpu_hours, peak_memory_mb, img_per_s"),
    RecordKey("parameters", "object", "numbers: trainable, frozen"),
    *NUMERICS,
    RecordKey("eval_sets", "object", "facts of the sets of `eval_sets`, by name", True),
    RecordKey("versions", "object", "of Python and the packages"),
    RecordKey("git", "object", "sha of the code, and the hash of its changes or null (dirty)"),
    RecordKey("host", "str", "computer"),
    RecordKey("command", "list of str", "the command and its arguments"),
    RecordKey("started", "str", "UTC"),
    RecordKey("attempt", "int", "number of starts, from 1"),
    RecordKey("finished", "str", "UTC"),
    RecordKey("sha256", "object", "of the other files of the record, by name"),
)
FAILURE_FILE = (
    SCHEMA,
    RecordKey("kind", "str", "error, storage, diverged, lost, cancelled, ..."),
    RecordKey("message", "str", "one sentence"),
    RecordKey("time", "str", "UTC"),
    RecordKey("log", "str", "file with the end of the output, relative"),
    RecordKey("signal, exit_code, ...", "int", "how the process ended, where it is known", True),
)
MANIFEST_FILE = (
    SCHEMA,
    RecordKey("sweep_id", "str", "hash of the name and the sorted trial ids"),
    RecordKey("name", "str", "of the sweep"),
    RecordKey("kind", "str", "of the design"),
    RecordKey("family", "str", "recipe family, where it is not tiny", True),
    RecordKey("race", "object", "of a design with racing: start, max, step", True),
    RecordKey("created", "str", "UTC"),
    RecordKey("command", "list of str", "the command and its arguments"),
    RecordKey("title", "str", "the name, and the overrides of all cells", True),
    RecordKey("tags", "list of str", "typed tags", True),
    RecordKey("folder", "str", "folder in which the command was typed", True),
    RecordKey("search", "object", "of a search: space, sampler, pruner, storage, ...", True),
    RecordKey("cells", "list", "label, overrides and the trial of each seed, in order"),
)
FILES = {
    "runs/<trial_id>/recipe.json": RECIPE_FILE,
    "runs/<trial_id>/status.json": STATUS_FILE,
    "runs/<trial_id>/metrics.jsonl, a row per epoch": METRICS_FILE,
    "runs/<trial_id>/result.json": RESULT_FILE,
    "runs/<trial_id>/failure.json": FAILURE_FILE,
    "runs/.sweeps/<sweep_id>.json": MANIFEST_FILE,
}
