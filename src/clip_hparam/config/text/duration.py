"""Read and write durations such as "90s", "30m", "8h" or "3.5 min". Standard library only."""

SECONDS_PER_UNIT = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str, key: str = "budget") -> float:
    """Return the seconds of "90s", "30m", "8h" or "2d". Raises ValueError for any other text."""
    number, unit = text[:-1], text[-1:]
    try:
        seconds = float(number) * SECONDS_PER_UNIT[unit]
    except (ValueError, KeyError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"{key}={text} is not a time: try {key}=90s, 30m, 8h or 2d")
    return seconds


def format_duration(seconds: float) -> str:
    """Return text such as "42 s", "3.5 min" or "7.2 h"."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
