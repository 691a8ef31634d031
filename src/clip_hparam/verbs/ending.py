"""cancel: end what still waits or runs in Slurm for a sweep."""

import argparse

from clip_hparam import status
from clip_hparam.launch import follow
from clip_hparam.records import LIVE
from clip_hparam.verbs import OK, Verb, of_records, tell


def _words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sweep", help="name or id of a sweep")
    of_records(parser)


def _cancel(arguments: argparse.Namespace) -> int:
    """Its jobs are gone from the queue when this returns; what they saved is kept."""
    tree = status.manifest(arguments.runs, arguments.sweep)
    following = follow.follower(arguments.runs, tree["sweep_id"])
    sent = follow.newest(following)
    states = following.poll(sent)
    alive = [handle for handle in sent if states[handle.trial_id] in (*LIVE, "held")]
    follow.cancel(alive)
    jobs = [handle.id for handle in alive]
    lines = [f"{len(jobs)} jobs of {tree['name']} ended: what they saved is kept, retry goes on"]
    tell(arguments, {"sweep": tree["name"], "jobs": jobs}, lines)
    return OK


VERBS = (Verb("cancel", "end the jobs of a sweep that wait or run in Slurm", _words, _cancel),)
