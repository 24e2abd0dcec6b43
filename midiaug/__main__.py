"""`python -m midiaug`: which commands there are; with a command's name behind it, that command."""

import difflib
import runpy
import sys

from midiaug import __version__

COMMANDS = {
    "train": "trains a model on music that it transposes while loading; with --multirun, several",
    "preview": "before a run: transposes a few pieces by every shift, checks them and shows them",
    "compare": "after several runs: what augmentation gained, and what it did to the music",
    "generate": "new music from a trained model, from nothing or going on from a tune",
    "materialize": "writes the transposed pieces as MIDI files, for other tools",
    "prepare": "reads, splits and tokenizes a large collection ahead of training",
    "benchmark": "measures loaders and training steps on this machine and this music",
}


def overview() -> str:
    """Each command with a line, and how to get help on it."""
    lines = [
        f"midiaug {__version__}: transposes MIDI while loading, so that small corpora last longer in training.",
        "",
    ]
    lines += [f"  python -m midiaug.{name:<12}  {does}" for name, does in COMMANDS.items()]
    lines += [
        "",
        "Each takes words of the form key=value. Add --help for all keys of a command with their defaults, as in",
        "python -m midiaug.train --help. midiaug-train and `midiaug train` are the same as python -m midiaug.train.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the overview, or run the command that the first word names; an unknown word is an error, and status 2."""
    first, *rest = sys.argv[1:] or ["--help"]
    if first in ("--help", "-h"):
        print(overview())  # noqa: T201
    elif first == "--version":
        print(f"midiaug {__version__}")  # noqa: T201
    elif first in COMMANDS:
        sys.argv[1:] = rest
        # as python -m does it: what starts further processes, such as Lightning, finds the command's own name
        runpy.run_module(f"midiaug.{first}", run_name="__main__", alter_sys=True)
    else:
        close = difflib.get_close_matches(first.removeprefix("midiaug.").removeprefix("midiaug-"), COMMANDS, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        print(  # noqa: T201
            f"ConfigError: {first}: there is no such command; {hint}python -m midiaug lists them", file=sys.stderr
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
