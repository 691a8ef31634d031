"""Trials that ended without a result, as lines of text: an equal reason is printed once."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MAX_NAMED = 5
NUMBER = re.compile(r"\d+")


class Ended(NamedTuple):
    """A trial or a search worker that ended without a result.

    name: what a user calls it, such as "lr=0.001 seed=2"; may be empty. place: where more is
    written, such as "see runs/0123/log.txt"; may be empty.
    """

    trial_id: str
    name: str
    state: str
    message: str
    place: str = ""


def failure_lines(ended: Sequence[Ended]) -> Iterator[str]:
    """Yield a line per trial; trials with one reason share a line, and are named below it.

    Reasons that differ only in their numbers, such as process ids, count as one.
    """
    groups: dict[tuple[str, str], list[Ended]] = {}
    for one in ended:
        groups.setdefault((one.state, NUMBER.sub("#", one.message)), []).append(one)
    for group in groups.values():
        first = group[0]
        place = f" ({first.place})" if first.place else ""
        if len(group) == 1:
            yield f"{first.trial_id} {reason_text(first.state, first.message)}{place}"
            continue
        if len({one.message for one in group}) == 1:
            yield f"{len(group)} {reason_text(first.state, first.message)}{place}"
        else:
            yield f"{len(group)} {first.state}, the first: {first.message}{place}"
        yield from (f"  {one.trial_id}  {one.name}".rstrip() for one in group[:MAX_NAMED])
        if more := len(group[MAX_NAMED:]):
            yield f"  and {more} more"


def reason_text(state: str, message: str) -> str:
    """Return "STATE: MESSAGE", or the message alone where it begins with the state."""
    return message if message.startswith(f"{state} ") else f"{state}: {message}"
