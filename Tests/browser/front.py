"""A small reverse proxy before the server: it counts requests, shows pages of its own, and fails as proxies fail."""

import asyncio
import contextlib
import dataclasses
import re
import time
import urllib.parse

# `/c7/desk/` shows what `/desk/` shows, as if there were many cameras.
ALIAS = re.compile(r"^/c\d+(?=/)")


@dataclasses.dataclass
class Asked:
    """One request: when it came, when its answer ended, and how many bytes that had."""

    method: str
    path: str
    began: float
    ended: float | None = None
    size: int = 0
    status: int = 0

    @property
    def name(self):
        """The last piece of the path, without the query."""
        return self.path.split("?")[0].rsplit("/", 1)[-1]

    @property
    def is_open(self):
        return self.ended is None


class Front:
    """Each answer closes its connection, so that a request is a connection and what is open is seen."""

    def __init__(self, upstream, prefix=""):
        self.upstream = urllib.parse.urlsplit(upstream)
        self.prefix = prefix
        # Pages of this site itself: path to content type, text and more header fields.
        self.pages = {}
        self.log = []
        # Names for which the whole answer is waited for before any of it is sent.
        self.holds = lambda asked: False
        # Names that are refused with a status.
        self.refuses = lambda asked: None
        # Header fields for all answers of the server.
        self.fields = {}
        self.is_down = False
        self.delay = 0
        self.tasks = set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    def page(self, path, text, type="text/html; charset=utf-8", **fields):
        """Shows a page of this site; underscores in the names of header fields stand for hyphens."""
        self.pages[path] = (type, text, {name.replace("_", "-"): value for name, value in fields.items()})
        return f"http://127.0.0.1:{self.port}{path}"

    def open(self):
        """The requests whose answers have not ended."""
        return [one for one in self.log if one.is_open]

    def cut(self):
        """Ends all connections, as a network does that goes."""
        for task in list(self.tasks):
            task.cancel()

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        asked = None
        try:
            if self.is_down:
                return
            head = await reader.readuntil(b"\r\n\r\n")
            line, *fields = head.decode("latin-1").split("\r\n")
            method, path, _ = line.split(" ")
            asked = Asked(method, path, time.monotonic())
            page = self.pages.get(path.split("?")[0])
            if page:
                await self._own(writer, *page)
                return
            self.log.append(asked)
            if self.delay:
                await asyncio.sleep(self.delay)
            status = self.refuses(asked)
            if status:
                asked.status = status
                lines = [f"HTTP/1.1 {status} Refused", "Content-Length: 0", "Access-Control-Allow-Origin: *"]
                writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
                await writer.drain()
                return
            await self._pass(asked, fields, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            if asked:
                asked.ended = time.monotonic()
            self.tasks.discard(task)
            writer.transport.abort() if self.is_down else writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _own(self, writer, type, text, fields):
        body = text.encode() if isinstance(text, str) else text
        fields = {"Content-Type": type, "Content-Length": len(body), "Cache-Control": "no-store"} | fields
        fields["Connection"] = "close"
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body)
        await writer.drain()

    async def _pass(self, asked, fields, reader, writer):
        if not asked.path.startswith(self.prefix):
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        up_reader, up_writer = await asyncio.open_connection(self.upstream.hostname, self.upstream.port)
        try:
            kept = [field for field in fields if field and not field.lower().startswith(("connection:", "host:"))]
            host = f"Host: {self.upstream.netloc}"
            path = ALIAS.sub("", asked.path[len(self.prefix) :]) or "/"
            request = [f"{asked.method} {path} HTTP/1.1", host, *kept, "Connection: close"]
            up_writer.write("\r\n".join([*request, "", ""]).encode("latin-1"))
            # A client that goes is noticed at once, and takes the server's answer with it.
            both = [asyncio.create_task(reader.read()), asyncio.create_task(self._answer(asked, up_reader, writer))]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in both:
                    task.cancel()
                    task.add_done_callback(lambda task: task.cancelled() or task.exception())
                await asyncio.gather(*both, return_exceptions=True)
        finally:
            up_writer.transport.abort()

    async def _answer(self, asked, reader, writer):
        line, *fields = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        asked.status = int(line.split(" ")[1])
        own = {name.lower() for name in self.fields} | {"connection", "keep-alive"}
        kept = [field for field in fields if field and field.split(":")[0].lower() not in own]
        more = [f"{name}: {value}" for name, value in self.fields.items() if value is not None]
        head = "\r\n".join([line, *kept, *more, "Connection: close", "", ""]).encode("latin-1")
        if self.holds(asked):
            head += await reader.read()
            writer.write(head)
            asked.size += len(head)
            await writer.drain()
            return
        writer.write(head)
        await writer.drain()
        while piece := await reader.read(65536):
            asked.size += len(piece)
            writer.write(piece)
            await writer.drain()


@contextlib.asynccontextmanager
async def front(upstream, prefix="", port=0):
    """A running proxy before the server at `upstream`, an address without a path."""
    made = Front(upstream, prefix)
    server = await asyncio.start_server(made._serve, "127.0.0.1", port)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.cut()
        server.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 2)
