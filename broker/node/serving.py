"""Local listeners: sockets that only this machine or only this user can reach, and the uvicorn that serves them.

uvicorn is kept from what is the program's own: it takes no signals, writes no log lines and opens no socket. It is
imported when something is served, so that one-shot commands start without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
import stat
import struct
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from schemas.failures import Away, Failure

if TYPE_CHECKING:
    import uvicorn

App: TypeAlias = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[MutableMapping[str, Any]], Awaitable[None]]],
    Awaitable[None],
]
"""An ASGI application."""

MAX_SOCKET_PATH_BYTES: Final = 107
"""`sun_path` of Linux, without its final zero byte."""
_BACKLOG: Final = 64
_CONCURRENT: Final = 64
"""Connections at once: a person's commands, a scraper and a health check need few."""
_KEEP_ALIVE_S: Final = 5
_STOP_GRACE_S: Final = 2
"""What a command in progress gets when the program stops; after that its caller is told nothing."""
_MAX_HEADER_BYTES: Final = 16 * 1024


class ListenerUnsafe(Failure):
    """An address or a socket path that others could reach; the text says what to change."""

    code = "listener_unsafe"


class ListenerTaken(Away):
    """Another program listens there."""

    code = "listener_taken"


def bind_loopback(port: int, host: str = "127.0.0.1") -> socket.socket:
    """A listening TCP socket on an IPv4 loopback address; port 0 takes a free one.

    Raises: ListenerUnsafe, for any other address; ListenerTaken.
    """
    try:
        is_loopback = ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ListenerUnsafe("health and metrics are served on 127.0.0.1 only; put a proxy before it to publish them")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ListenerTaken(f"port {port} of {host} cannot be had ({error.strerror}); choose another") from None
    return listener


def bind_owner_only(path: Path) -> socket.socket:
    """A listening Unix socket that only this user can reach; a dead one in its place is removed.

    The directory is made if need be, and must be the owner's only: until the socket itself is, that protects it.
    Raises: ListenerUnsafe, ListenerTaken.
    """
    if len(os.fsencode(path)) > MAX_SOCKET_PATH_BYTES:
        raise ListenerUnsafe(
            f"the path of the command socket is over {MAX_SOCKET_PATH_BYTES} bytes; choose a shorter one"
        )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.parent.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise ListenerUnsafe(f"the directory {path.parent} must be yours alone; run: chmod 700 {path.parent}")
    if path.exists():
        _remove_dead(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.fspath(path))
    path.chmod(0o600)
    listener.listen(_BACKLOG)
    return listener


class LocalServer:
    """One application on one listening socket."""

    def __init__(self, listener: socket.socket, app: App) -> None:
        self.listener = listener
        self._app = app

    async def serve(self) -> None:
        """Serve until cancelled; then stop listening, let requests in progress finish for two seconds, and return."""
        server = _build(self._app, is_unix=self.listener.family == socket.AF_UNIX)
        path = self.listener.getsockname() if self.listener.family == socket.AF_UNIX else None
        serving = asyncio.ensure_future(server.serve(sockets=[self.listener]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await serving
            raise
        finally:
            self.listener.close()
            if path is not None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)


async def serve_all(*servers: LocalServer) -> None:
    """Serve until cancelled, or until one fails: then the others are stopped in order and its failure is raised."""
    tasks = [asyncio.ensure_future(server.serve()) for server in servers]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _remove_dead(path: Path) -> None:
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise ListenerUnsafe(f"{path} is not a socket; move it away or choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise ListenerTaken("the program is running already; stop it first")


def _build(app: App, *, is_unix: bool) -> uvicorn.Server:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Quiet(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    class OwnerOnly(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            # Permissions of directory and socket come first; this also holds for a descriptor that was passed on.
            if _peer_uid(transport) in {os.geteuid(), 0}:
                super().connection_made(transport)
            else:
                transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            if getattr(self, "transport", None) is not None:
                super().connection_lost(exc)

    return Quiet(
        uvicorn.Config(
            app,
            http=OwnerOnly if is_unix else H11Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            limit_concurrency=_CONCURRENT,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_STOP_GRACE_S,
            h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        )
    )


def _peer_uid(transport: asyncio.Transport) -> int:
    connection: socket.socket = transport.get_extra_info("socket")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return int(uid)
