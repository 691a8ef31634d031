"""verify and gc: whether the records are what was written, and what may go."""

import argparse
from collections.abc import Iterator

from clip_hparam import litter
from clip_hparam.records import Record, trial_ids
from clip_hparam.verbs import OK, STORAGE, Verb, of_records, tell


def _verify(arguments: argparse.Namespace) -> int:
    ids = list(trial_ids(arguments.runs))
    found = {name: Record(arguments.runs, name).damage() for name in ids}
    damaged = {name: names for name, names in found.items() if names}
    sealed = sum(Record(arguments.runs, name).is_done() for name in ids)
    lines = [f"{name}: {', '.join(names)} changed since sealed" for name, names in damaged.items()]
    tell(
        arguments,
        {"sealed": sealed, "damaged": damaged},
        [*lines, f"{sealed} trials are as they were sealed, {len(damaged)} are damaged"],
    )
    return STORAGE if damaged else OK


def _gc_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="remove what is listed")
    of_records(parser)


def _gc(arguments: argparse.Namespace) -> int:
    found = litter.litter(arguments.runs)
    freed = sum(item.size for item in found)
    removed = litter.remove(found) if arguments.yes else 0
    tree = [{"path": str(item.path), "kind": item.kind, "bytes": item.size} for item in found]
    tell(arguments, {"items": tree, "removed": removed}, _gc_lines(found, freed, removed))
    return OK


def _gc_lines(found: list[litter.Item], freed: int, removed: int) -> Iterator[str]:
    for item in found:
        yield f"{item.kind:<12} {item.size / 1e6:8.2f} MB  {item.path}"
    if removed:
        yield f"{removed} removed, {freed / 1e6:.2f} MB"
    else:
        yield f"{len(found)} in all, {freed / 1e6:.2f} MB; " + (
            "add --yes to remove them" if found else "there is nothing to remove"
        )


VERBS = (
    Verb("verify", "whether sealed records are as they were written", of_records, _verify),
    Verb("gc", "list, or with --yes remove, what no one needs any more", _gc_words, _gc),
)
