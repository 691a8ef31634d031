"""verify, gc and pack: are the records what was written, what may go, and one file for many."""

import argparse
from collections.abc import Iterator

from clip_hparam.cli.commands import garbage, queries
from clip_hparam.cli.commands.command import OK, STORAGE, Verb, of_records, tell
from clip_hparam.records import archive
from clip_hparam.records.archive_writer import archive_trials
from clip_hparam.records.lock import FolderLockedError
from clip_hparam.records.record import Record, trial_ids


def _verify(arguments: argparse.Namespace) -> int:
    ids = list(trial_ids(arguments.runs))
    found = {name: Record(arguments.runs, name).corrupted_files() for name in ids}
    damaged = {name: names for name, names in found.items() if names}
    sealed = sum(Record(arguments.runs, name).is_done() for name in ids)
    cut = [str(path) for path in archive.damaged_archives(arguments.runs)]
    lines = [f"{name}: {', '.join(names)} changed since sealed" for name, names in damaged.items()]
    lines += [f"{path}: the pack is damaged, what it lacks runs again" for path in cut]
    tell(
        arguments,
        {"sealed": sealed, "damaged": damaged, "packs": cut},
        [*lines, f"{sealed} trials are as they were sealed, {len(damaged)} are damaged"],
    )
    return STORAGE if damaged or cut else OK


def _gc_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="remove what is listed")
    of_records(parser)


def _gc(arguments: argparse.Namespace) -> int:
    found = garbage.litter(arguments.runs)
    freed = sum(item.size for item in found)
    removed = garbage.remove(found) if arguments.yes else 0
    tree = [{"path": str(item.path), "kind": item.kind, "bytes": item.size} for item in found]
    tell(arguments, {"items": tree, "removed": removed}, _gc_lines(found, freed, removed))
    return OK


def _gc_lines(found: list[garbage.Item], freed: int, removed: int) -> Iterator[str]:
    for item in found:
        yield f"{item.kind:<12} {item.size / 1e6:8.2f} MB  {item.path}"
    if removed:
        yield f"{removed} removed, {freed / 1e6:.2f} MB"
    else:
        yield f"{len(found)} in all, {freed / 1e6:.2f} MB; " + (
            "add --yes to remove them" if found else "there is nothing to remove"
        )


def _pack_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sweep", nargs="?", help="name or id of a sweep (the newest)")
    of_records(parser)


def _pack(arguments: argparse.Namespace) -> int:
    tree = queries.manifest(arguments.runs, arguments.sweep)
    ids = queries.trials_of(tree)
    try:
        path = archive_trials(arguments.runs, tree["sweep_id"], ids)
    except FolderLockedError:
        raise ValueError(f"{tree['name']} is running: pack it once it has ended") from None
    known = archive.open_archives(arguments.runs)
    packed = sum(name in known for name in ids)
    facts = {"sweep": tree["name"], "pack": str(path), "packed": packed, "left": len(ids) - packed}
    tell(arguments, facts, [f"{packed} of {len(ids)} trials of {tree['name']} are packed: {path}"])
    return OK


VERBS = (
    Verb("verify", "whether sealed records are as they were written", of_records, _verify),
    Verb("pack", "finished trials of a sweep into one file, read in place", _pack_words, _pack),
    Verb("gc", "list, or with --yes remove, what no one needs any more", _gc_words, _gc),
)
