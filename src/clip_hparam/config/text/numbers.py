"""Numbers as text, with a true minus sign, and zero without a sign."""

import math

MINUS_SIGN = "\N{MINUS SIGN}"


def format_number(value: float, spec: str) -> str:
    """Return a number with a true minus sign; empty for NaN.

    A number that the format rounds to zero has no sign: with "+.2f", -0.001 and 0.001 are "0.00".
    """
    if math.isnan(value):
        return ""
    text = f"{value:{spec}}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", MINUS_SIGN)
