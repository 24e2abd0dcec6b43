"""The folder that the copies go to: what may be there before, and what a run that was stopped left in it.

While a run lasts, `.materialize/` inside it holds a lock and the journal: what was asked for, and a line for each
piece that is done. At the end manifest.json takes the journal's place.
"""

import json
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from midiaug.data.sources import SUFFIXES, Entry
from midiaug.directories import shown
from midiaug.errors import ConfigError, OutputError
from midiaug.files import remove_leftovers, write_text
from midiaug.offline.changes import what_changed
from midiaug.offline.copies import Copies, LeftOut, Row
from midiaug.offline.noted import noted, read_object
from midiaug.places import check_room

log = logging.getLogger("midiaug")
MANIFEST, SPLIT = "manifest.json", "split.json"
_WORK, _JOURNAL = ".materialize", "journal.jsonl"
_PATIENCE_S = 5.0  # the processes of a run that was killed end by themselves
_FREE_TO_DIFFER = {"midiaug", "source"}  # a later version may write the same, and the music may be moved


def check_reachable(out: Path) -> None:
    """Raise ConfigError where no folder can be there, or none that may be written to."""
    advice = "give another folder"
    path = Path(os.path.abspath(out))
    there = path
    for part in (*reversed(path.parents), path):
        try:
            kind = os.stat(part).st_mode
        except FileNotFoundError:
            if part.is_symlink():
                text = f"{shown(part)} is a link to {os.readlink(part)}, which is not there; remove it, or {advice}"
                raise ConfigError(f"out={out}: {text}") from None
            break
        except OSError as error:
            raise ConfigError(f"out={out}: {shown(part)} cannot be opened ({error.strerror}); {advice}") from error
        if not stat.S_ISDIR(kind):
            raise ConfigError(f"out={out}: {shown(part)} is a file, not a folder; {advice}")
        there = part
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f"out={out}: {there} may not be written to; get the right to, or {advice}")
    if (path / MANIFEST).is_file():  # there may be nothing left to write
        return
    try:
        check_room(there)
    except OSError as error:
        raise ConfigError(
            f"out={out}: {there} takes no more ({error.strerror}); free space there, or {advice}"
        ) from error


def check_place(out: Path, path: str | None, entries: Sequence[Entry]) -> None:
    """Raise ConfigError where the folder of copies is inside that of the music, or the other way round; links count.

    path: data.path; None for the bundled tunes and for what is downloaded. entries: the candidate pieces.
    """
    target = os.path.realpath(out)
    first = entries[0]
    root = first.path.parents[first.name.count("/")] if path is None else Path(path).expanduser()
    inside = {Path(entry.name).parent for entry in entries if "/" in entry.name}
    links = {root, *(root / folder for name in inside for folder in (name, *name.parents))}
    for folder in (os.path.realpath(link) for link in links if link.is_dir()):
        if _is_below(target, folder):
            raise ConfigError(f"out={out}: inside the folder of the music, {folder}; give one beside it")
    files = dict.fromkeys(os.fspath(entry.path) for entry in entries)
    in_folder = {os.path.dirname(file): file for file in reversed(files)}
    places = [(file, os.path.realpath(folder)) for folder, file in in_folder.items()]
    places += [(file, os.path.realpath(file)) for file in files if os.path.islink(file)]
    for file, place in places:
        if _is_below(place, target):
            raise ConfigError(f"out={out}: the music lies in it, such as {file}; give another folder")


def _is_below(path: str, folder: str) -> bool:
    """Whether a path is that of the folder or in it; both without links."""
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


class Target:
    """The folder while copies are written to it. work: a folder in it for the lock and the journal.

    former: what a former run of the same settings noted of each piece's files, by the piece's name. left_out: what it
    did not write of a piece. finished: whether that run came to its end.
    """

    def __init__(self, out: Path, header: dict[str, Any], music: Callable[[], Mapping[str, str]] = dict) -> None:
        """music: gives the SHA-256 of each piece's own bytes, by its name; asked where the music was another one."""
        self.out, self.work = out, out / _WORK
        self.header, self._music = header, music
        self._journal: TextIOWrapper | None = None
        self.former: dict[str, list[Row]] = {}
        self.left_out: dict[str, list[LeftOut]] = {}
        self.finished = False

    @contextmanager
    def opened(self, names: Iterable[str]) -> Iterator["Target"]:
        """Take the folder, which another run may not meanwhile. names: of all files that may be written to it.

        Raises OutputError where it holds one of them that no run wrote, or what a run of other settings wrote.
        """
        lock = self._locked()
        try:
            self._open(names)
            yield self
        finally:
            if self._journal is not None:
                with suppress(OSError):  # a full disk, which was met before
                    self._journal.close()
            if self.finished or not (self.work / _JOURNAL).exists():
                self._clear()
            lock.release()

    def _locked(self) -> FileLock:
        end = time.monotonic() + _PATIENCE_S
        lock = FileLock(self.work / "lock")
        while True:
            try:
                self.work.mkdir(parents=True, exist_ok=True)
                lock.acquire(timeout=max(0.0, end - time.monotonic()))
                return lock
            except Timeout as error:
                raise OutputError(
                    f"out={self.out}: another run writes there; wait for its end, or give another folder"
                ) from error
            except (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError) as error:
                own = {self.work: Path.is_dir, self.work / "lock": Path.is_file, self.work / _JOURNAL: Path.is_file}
                for path in (path for path, right in own.items() if os.path.lexists(path) and not right(path)):
                    text = f"{path}: in the way of what a run keeps there while it lasts"
                    raise OutputError(f"{text}; remove it, or give another folder") from error
                # otherwise the run that held it came to its end, and took the folder along
                if time.monotonic() > end:
                    raise

    def _clear(self) -> None:
        """Remove the folder of the lock. The lock goes last: from then on another run may make both anew."""
        with suppress(OSError):
            (self.work / _JOURNAL).unlink(missing_ok=True)
            (self.work / "lock").unlink()
            self.work.rmdir()

    def _open(self, names: Iterable[str]) -> None:
        manifest, journal = self.out / MANIFEST, self.work / _JOURNAL
        remove_leftovers(self.work)
        remove_leftovers(self.out, manifest.stem)
        if os.path.lexists(manifest):
            former = read_object(manifest)
            if "corpus" not in former or not self._take(former):
                raise OutputError(f"out={self.out}: its {MANIFEST} is of no run, or damaged; give another folder")
            self._check_same(former, whole=True)
            self.finished = True
        elif os.path.lexists(journal):
            content = journal.read_bytes() if journal.is_file() else b""
            header, *lines = [read_object(line) for line in content.splitlines()] or [{}]
            if "corpus" not in header:
                text = f"{journal} is of no run, or damaged; remove it, or give another folder"
                raise OutputError(f"out={self.out}: {text}")
            for line in lines:
                self._take(line)  # a damaged one is as good as none
            self._check_same(header | {"copies": self._rows(), "left_out": []}, whole=False)
            self._journal = journal.open("a", encoding="utf-8")
            self._journal.write("\n")  # the last line may have been cut off
        else:
            self._check_free(names)
            write_text(journal, json.dumps(self.header) + "\n")
            self._journal = journal.open("a", encoding="utf-8")

    def note(self, copies: Copies) -> None:
        """Keep in the journal what came of a piece."""
        if self._journal is not None and copies.rows:
            left_out = json.dumps([asdict(entry) for entry in copies.left_out]) if copies.left_out else "[]"
            rows = copies.rows.replace("\n", "")
            self._journal.write(f'{{"copies": [{rows}], "left_out": {left_out}}}\n')
            self._journal.flush()

    def _take(self, content: dict[str, Any]) -> bool:
        """Know the pieces of a line of the journal, or of the manifest; a later line stands for an earlier one.

        Returns whether it is a run's own.
        """
        columns = noted(content)
        if columns is None:
            return False
        known: dict[str, list[Row]] = {}
        for row in columns[0]:
            known.setdefault(row["source"], []).append(row)
        self.former |= known
        lost: dict[str, list[LeftOut]] = {}
        for entry in columns[1]:
            lost.setdefault(entry.source, []).append(entry)
        self.left_out |= lost
        return True

    def _rows(self) -> list[Row]:
        return [row for rows in self.former.values() for row in rows]

    def _check_same(self, former: dict[str, Any], *, whole: bool) -> None:
        for key, value in self.header.items():
            if former.get(key) == value or key in _FREE_TO_DIFFER:
                continue
            was, now = (str(content.get(key)) for content in (former, self.header))
            difference, again = f"{key} was {was}, and is {now} now", "use the same settings"
            if key == "corpus":
                changes = what_changed(former, self._music(), whole=whole)
                difference, again = f"the music was another one{changes and ': '}{changes}", "put it back as it was"
            if key == "split":
                difference = "the split was another one"
            raise OutputError(
                f"out={self.out}: holds copies made otherwise ({difference}); {again} to go on, or give another folder "
                "for copies of what is asked for now"
            )

    def _check_free(self, names: Iterable[str]) -> None:
        """Raise OutputError where a file is in the way, before anything is written."""
        wanted = {name.casefold() for name in (*names, SPLIT)}
        tops = {name.partition("/")[0] for name in wanted if "/" in name}
        for own in (MANIFEST, SPLIT, _WORK):
            if own in tops:
                text = f"the music has a folder named {own}, which would be in the way of the file of that name"
                raise OutputError(f"out={self.out}: {text}; give it another name")
        others = 0
        for folder, folders, files in os.walk(self.out):
            below = os.path.relpath(folder, self.out)
            for name in (*files, *folders):
                there = name if below == "." else f"{below}/{name}"
                if there.casefold() in wanted:
                    raise OutputError(
                        f"{self.out / there}: in the way, and no run of these settings wrote it; move it away, or give "
                        "another folder"
                    )
            others += sum(name.lower().endswith(SUFFIXES) for name in files)
        if others:
            files_of = f"{others:,} {'file' if others == 1 else 'files'}"
            log.warning("out=%s: holds other music, %s, which training on it would read too", self.out, files_of)
