"""Figures as they are shown: few digits, and nothing where there is none."""

from typing import Any

from midiaug.printable import short


def number(value: Any, digits: int = 3, sign: bool = False) -> str:
    """A number with so many digits behind the point, and nothing where there is none."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if isinstance(value, int) and not sign:
        return f"{value:,}"
    return f"{value:+,.{digits}f}" if sign else f"{value:,.{digits}f}"


def duration(seconds: float | None) -> str:
    """A time as a clock has it: 1:05 is a minute and five seconds, 2:00:00 two hours."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def speed(value: float | None) -> str:
    """Tokens a second in thousands or millions."""
    return "" if value is None else short(value)


def spread(figure: dict[str, Any], digits: int = 3, sign: bool = False) -> str:
    """A mean with the standard deviation over the seeds behind it."""
    mean = number(figure["mean"], digits, sign)
    return mean if figure["sd"] is None else f"{mean} ± {figure['sd']:.{digits}f}"
