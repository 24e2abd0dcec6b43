"""One file from the web, whole or not at all; a download that was cut off goes on where the server allows it.

What has come so far is kept under the file's name with `.part` behind it. pooch checks the whole file's hash.
"""

import os
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midiaug.errors import CorpusError
from midiaug.places import check_room

if TYPE_CHECKING:
    from requests import Response
    from rich.progress import Progress

_TIMEOUT_S = (10.0, 30.0)  # for the connection, and for each part after it
_CHUNK_BYTES = 1 << 13  # what a break costs at most


def download(url: str, target: Path, part: Path, sha256: str | None, most_bytes: int) -> None:
    """Fetch a file. part: where what has come so far is kept, for the next try, on the disk of the target.

    sha256: of the file; None leaves the check to the caller. most_bytes: the file may not be larger.
    Raises CorpusError with a reason in half a sentence where it cannot be had, OSError where it cannot be written.
    """
    import pooch  # a tenth of a second with requests, and needed once
    import requests

    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(url, sha256, target.name, target.parent, downloader=_Resuming(part, most_bytes))
    except requests.RequestException as error:
        raise CorpusError(_reason(error)) from error
    except ValueError as error:  # pooch's, and it has removed the file
        raise CorpusError("what came is not what was asked for: its SHA-256 differs") from error


def check_file(path: Path, sha256: str | None) -> None:
    """Raise CorpusError, with a reason in half a sentence, where a file cannot be read or has another SHA-256."""
    import pooch

    try:
        found = pooch.file_hash(str(path))
    except OSError as error:
        raise CorpusError(f"it cannot be read ({error.strerror or error})") from error
    if sha256 not in (None, found):
        raise CorpusError("it is not the file that was asked for: its SHA-256 differs")


class _Resuming:
    """Downloads for pooch: after a break it asks for the rest, again and again as long as more comes each time."""

    def __init__(self, part: Path, most_bytes: int) -> None:
        self._part, self._most_bytes = part, most_bytes

    def __call__(self, url: str, output_file: Any, pooch: Any, *_: Any, **__: Any) -> None:
        import requests

        breaks = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
        with _bar() as bar:
            task = bar.add_task("downloading", total=None)
            while True:
                before = self._size()
                try:
                    self._take(url, lambda done, total: bar.update(task, completed=done, total=total))
                    break
                except breaks:
                    if self._size() <= before:
                        self._drop_empty()
                        raise
        os.replace(self._part, output_file)

    def _size(self) -> int:
        try:
            return self._part.stat().st_size
        except FileNotFoundError:
            return 0

    def _drop_empty(self) -> None:
        if not self._size():
            self._part.unlink(missing_ok=True)

    def _take(self, url: str, show: Callable[[int, int | None], None]) -> None:
        """Ask for the file, or what is missing of it, and add it to the part."""
        import requests

        have = self._size()
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, stream=True, headers=headers, timeout=_TIMEOUT_S) as answer:
            if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
                if answer.headers.get("Content-Range") == f"bytes */{have}":  # all of it was there
                    return
                again = True
            else:
                answer.raise_for_status()
                again = have > 0 and answer.status_code == HTTPStatus.PARTIAL_CONTENT and not _goes_on(answer, have)
            if not again:
                self._write(answer, have if answer.status_code == HTTPStatus.PARTIAL_CONTENT else 0, show)
                return
        self._part.unlink()  # the part is of another file
        self._take(url, show)

    def _write(self, answer: "Response", have: int, show: Callable[[int, int | None], None]) -> None:
        length = answer.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else None
        if (total or 0) > self._most_bytes:
            raise CorpusError(f"what it sends is too large, {total:,} bytes")
        check_room(self._part.parent, max(1, (total or 0) - have))
        with self._part.open("ab" if have else "wb") as file:
            for chunk in answer.iter_content(_CHUNK_BYTES):
                file.write(chunk)
                have += len(chunk)
                show(have, total)
                if have > self._most_bytes:
                    break
        if have > self._most_bytes:
            self._part.unlink()
            raise CorpusError(f"what it sends is too large, more than {self._most_bytes:,} bytes")


def _goes_on(answer: "Response", have: int) -> bool:
    """Whether what comes is what follows on so many bytes."""
    return answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.SSLError):
        return "the server cannot prove who it is (SSL)"
    if isinstance(error, requests.Timeout):
        return "the server does not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached"
    return f"it cannot be asked for ({type(error).__name__})"


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = [TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()]
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)
