"""A web server of a test's own, which may break off, refuse ranges or answer with an error; and archives to serve."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Thread


class Server(ThreadingHTTPServer):
    """Serves `content` under any name.

    ranges: whether it can send a part. breaks: after how many bytes each of the next answers breaks off.
    asked: the range that each request so far asked for, None for the whole.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.status, self.ranges, self.tells_length = content, 200, True, True
        self.breaks: list[int] = []
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/music.zip"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range")
        server.asked.append(asked)
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and server.ranges else 0
        whole = len(server.content)
        if server.status != 200:
            self.send_error(server.status)
            return
        if start and start >= whole:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{whole}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        if server.tells_length:
            self.send_header("Content-Length", str(whole - start))
        self.end_headers()
        rest = server.content[start:]
        self.wfile.write(rest[: server.breaks.pop(0)] if server.breaks else rest)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(content: bytes) -> Iterator[Server]:
    with Server(content) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def zipped(files: dict[str | zipfile.ZipInfo, bytes]) -> bytes:
    """A zip archive of these files by their paths."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def closed_url() -> str:
    """An address at which nothing listens."""
    with Server(b"") as server:
        return server.url
