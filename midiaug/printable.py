"""Text and numbers as a screen, a picture or a page can show them."""


def printable(text: object) -> str:
    """Text that may come from a file's name, without bytes that are no text and codes that move a terminal's cursor."""
    whole = str(text).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in whole)


def short(number: float) -> str:
    """A number in thousands or millions where it is large: 950, 46k, 2.3M."""
    return f"{number / 1e6:.1f}M" if number >= 1e6 else f"{number / 1e3:.0f}k" if number >= 1e4 else f"{number:,.0f}"


def many(count: int, noun: str) -> str:
    """So many of a thing, in the plural that it takes: 1 run, 3 runs, 2 processes."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}{'es' if noun.endswith('s') else 's'}"
