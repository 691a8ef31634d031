"""verify, gc, pack: check the records, remove unneeded files, and archive done trials."""

import argparse
from collections.abc import Iterator

from clip_hparam.cli.commands import garbage, name_lookup
from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.text.count import counted, is_are
from clip_hparam.records import archive
from clip_hparam.records.archive_writer import archive_trials
from clip_hparam.records.lock import FolderLockedError
from clip_hparam.records.record import Record, trial_ids


def _run_verify(arguments: argparse.Namespace) -> int:
    ids = list(trial_ids(arguments.runs))
    corrupted = {name: Record(arguments.runs, name).corrupted_files() for name in ids}
    damaged = {name: names for name, names in corrupted.items() if names}
    sealed = sum(Record(arguments.runs, name).is_done() for name in ids)
    bad_archives = [str(path) for path in archive.damaged_archives(arguments.runs)]
    lines = [f"{name}: {', '.join(names)} changed since sealed" for name, names in damaged.items()]
    lines += [
        f"{path}: the pack is damaged; the next sweep runs its unreadable trials again"
        for path in bad_archives
    ]
    emit(
        arguments,
        {"sealed": sealed, "damaged": damaged, "packs": bad_archives},
        [*lines, f"{counted(sealed, 'trial')} unchanged since sealed, {len(damaged)} damaged"],
    )
    return ExitCode.STORAGE if damaged or bad_archives else ExitCode.OK


def _add_gc_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="remove the listed files")
    add_common_arguments(parser)


def _run_gc(arguments: argparse.Namespace) -> int:
    items = garbage.find_garbage(arguments.runs)
    freed = sum(item.size for item in items)
    removed = garbage.remove_items(items) if arguments.yes else 0
    tree = [{"path": str(item.path), "kind": item.kind, "bytes": item.size} for item in items]
    emit(arguments, {"items": tree, "removed": removed}, _gc_lines(items, freed, removed))
    return ExitCode.OK


def _gc_lines(items: list[garbage.GarbageItem], freed: int, removed: int) -> Iterator[str]:
    for item in items:
        yield f"{item.kind:<12} {item.size / 1e6:8.2f} MB  {item.path}"
    if removed:
        yield f"{removed} removed, {freed / 1e6:.2f} MB"
    else:
        yield f"{len(items)} in all, {freed / 1e6:.2f} MB; " + (
            "add --yes to remove them" if items else "there is nothing to remove"
        )


def _add_pack_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sweep", nargs="?", help="name or id of a sweep (the newest)")
    add_common_arguments(parser)


def _run_pack(arguments: argparse.Namespace) -> int:
    manifest = name_lookup.choose_manifest(arguments.runs, arguments.sweep)
    ids = manifest.trial_ids
    try:
        path = archive_trials(arguments.runs, manifest.sweep_id, ids)
    except FolderLockedError:
        raise ValueError(f"{manifest.name} is running: pack it once it has ended") from None
    known = archive.open_archives(arguments.runs)
    packed = sum(name in known for name in ids)
    facts = {"sweep": manifest.name, "pack": str(path), "packed": packed, "left": len(ids) - packed}
    emit(
        arguments,
        facts,
        [
            f"{packed} of {counted(len(ids), 'trial')} of {manifest.name} {is_are(packed)} packed:"
            f" {path}"
        ],
    )
    return ExitCode.OK


COMMANDS = (
    Command(
        "verify",
        "check that sealed records have not changed",
        add_common_arguments,
        _run_verify,
    ),
    Command(
        "pack",
        "move the done trials of a sweep into one file, read in place",
        _add_pack_arguments,
        _run_pack,
    ),
    Command("gc", "list unneeded files, or remove them with --yes", _add_gc_arguments, _run_gc),
)
