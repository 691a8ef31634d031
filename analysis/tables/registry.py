"""Register tables by name and create them.

A table is a module that registers one function by a decorator of this module. Importing the package
`tables` imports all these modules. The table of a sweep's cells is not registered: it always comes
first and receives the notes.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from clip_hparam.analysis.evidence.ablations import ABLATIONS, Ablation, ablation_of
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.json_files import UnreadableError
from clip_hparam.analysis.frames.manifests import output_names
from clip_hparam.analysis.tables.cell_table import Table, cell_table

CreateSweepTable = Callable[[Frames, Ablation], Table | None]
CreateFrameTable = Callable[[Frames], Table]
IsAvailable = Callable[[Frames], bool]
Create = TypeVar("Create", bound=CreateSweepTable)


class SweepTable(NamedTuple):
    """A further table of a sweep; `kinds` are figure kinds of ablations, empty for all kinds."""

    kinds: frozenset[str]
    create: CreateSweepTable


SWEEP_TABLES: dict[str, SweepTable] = {}  # by the suffix of the table's name
FRAME_TABLES: dict[str, CreateFrameTable] = {}
AVAILABLE: dict[str, IsAvailable] = {}
"""Whether a table of FRAME_TABLES is written without being named."""


def sweep_table(suffix: str, *kinds: str) -> Callable[[Create], Create]:
    """Register a further table, SWEEP_suffix, of each sweep.

    With `kinds` given, only sweeps whose `Ablation.figure_kind` is among them have the table. The
    function returns None where the sweep's cells do not suffice.
    """

    def register(create: Create) -> Create:
        if suffix in SWEEP_TABLES:
            raise ValueError(
                f"table {suffix} is registered twice: give one of the two another name"
            )
        SWEEP_TABLES[suffix] = SweepTable(frozenset(kinds), create)
        return create

    return register


def frame_table(
    name: str, is_available: IsAvailable = lambda frames: True
) -> Callable[[CreateFrameTable], CreateFrameTable]:
    """Register a table of all records, or of published data, under `name`.

    is_available: whether it is written without being named.
    """

    def register(create: CreateFrameTable) -> CreateFrameTable:
        if name in FRAME_TABLES:
            raise ValueError(f"table {name} is registered twice: give one of the two another name")
        FRAME_TABLES[name] = create
        AVAILABLE[name] = is_available
        return create

    return register


def table_names(frames: Frames) -> list[str]:
    """Return the names that `tables_of` takes: ablations, recorded sweeps, registered tables."""
    registered = sorted(FRAME_TABLES)
    return list(dict.fromkeys([*ABLATIONS, *output_names(frames.sweeps), *registered]))


def default_tables(frames: Frames) -> list[str]:
    """Return the names of all recorded sweeps, and of tables of all records if there are any."""
    registered = sorted(name for name in FRAME_TABLES if AVAILABLE[name](frames))
    return list(dict.fromkeys([*output_names(frames.sweeps), *registered]))


def tables_of(frames: Frames, name: str) -> list[Table]:
    """Return all tables called `name`; of a sweep, the table of its cells comes first.

    Raises:
        NotSweptError: the sweep has no record yet.
    """
    if name in FRAME_TABLES and name not in output_names(frames.sweeps):
        return [FRAME_TABLES[name](frames)]
    ablation = ablation_of(frames, name)
    first = cell_table(frames, ablation)
    tables = [first]
    if ablation.imported:
        return tables
    for _, entry in sorted(SWEEP_TABLES.items()):
        if entry.kinds and ablation.figure_kind not in entry.kinds:
            continue
        try:
            table = entry.create(frames, ablation)
        except UnreadableError as error:  # for example, records without correct.npz
            first.notes.append(f"{error}.")
            continue
        tables += [table] if table else []
    return tables
