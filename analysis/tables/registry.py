"""Every table by its name: all that are made of one sweep, and those that stand alone."""

from collections.abc import Callable

from clip_hparam.analysis.evidence.ablations import ABLATIONS, Ablation
from clip_hparam.analysis.evidence.evidence import ablation_of
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.json_files import UnreadableError
from clip_hparam.analysis.frames.manifests import newest_by_name
from clip_hparam.analysis.tables.effects import effects_table
from clip_hparam.analysis.tables.orders import orders_table
from clip_hparam.analysis.tables.per_class import classes_table
from clip_hparam.analysis.tables.systems import systems_table
from clip_hparam.analysis.tables.table import Table, cell_table

FRAME_TABLES: dict[str, Callable[[Frames], Table]] = {"systems": systems_table}


def table_names(frames: Frames) -> list[str]:
    """What `tables_of` takes: every ablation, every other sweep on record, and `OTHERS`."""
    return list(dict.fromkeys([*ABLATIONS, *newest_by_name(frames.sweeps), *FRAME_TABLES]))


def tables_of(frames: Frames, name: str) -> list[Table]:
    """The sweep's own table first. Raises NotSweptError if its sweep is not on record."""
    if name in FRAME_TABLES and name not in newest_by_name(frames.sweeps):
        return [FRAME_TABLES[name](frames)]
    ablation = ablation_of(frames, name)
    made = [cell_table(frames, ablation)]
    if ablation.figure_kind == "factorial":
        ordered = orders_table(frames, ablation)
        made += [effects_table(frames, ablation), *([ordered] if ordered else [])]
    return [*made, *_class_tables(frames, ablation, made[0])]


def _class_tables(frames: Frames, ablation: Ablation, first: Table) -> list[Table]:
    """None, and a note in the sweep's table, where records do not say."""
    try:
        return [classes_table(frames, ablation)]
    except UnreadableError as error:
        first.notes.append(f"{error}.")
        return []
