"""Numbers with their noun and verb in sentences."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return "1 seed", "0 seeds" or "1,200 seeds".

    plural: of a noun whose plural is not the noun and an s.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def is_are(number: int) -> str:
    """Return the verb after a number: "1 of 3 trials is done", "2 of 3 trials are done"."""
    return "is" if number == 1 else "are"


def was_were(number: int) -> str:
    """Return the verb after a number: "1 job was cancelled", "2 jobs were cancelled"."""
    return "was" if number == 1 else "were"
