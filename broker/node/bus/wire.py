"""The way to a server, before anything is said on it: TCP, through a proxy if there is one, TLS from the first byte.

Owns the sockets: nats-py never dials. So nothing of ours can reach a server in plaintext that was to be encrypted, a
certificate that does not hold is an error at once, and there is one way through a proxy for every kind of server.
Refuses to know NATS.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Final

from broker.node.bus.address import ServerAddress

READ_AHEAD_BYTES: Final = 32 * 1024
"""What waits unread in this program is at most twice this, and a block of what TLS has just decrypted."""
_NEXT_AFTER_S: Final = 1.0
"""A name with an address that leads nowhere costs a second, not a whole time limit."""
_ANSWER_BYTES: Final = 8192
"""Of a proxy's whole answer: a status line and a few headers."""
_IDLE_S: Final = 8
_PROBES: Final = {"TCP_KEEPIDLE": _IDLE_S, "TCP_KEEPALIVE": _IDLE_S, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 2}
"""A link on which nothing came for eight seconds is asked by our kernel, and ended four seconds later if nothing
answers. The other end's kernel answers, at no cost to its server; and a firewall counts it as use. Of the first two
each system has one, and some have none of them."""
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")


_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class ProxyRefused(OSError):
    """The proxy does not connect through. `status` is its HTTP status; 0 if it answered anything else."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the proxy answered {status}")
        self.status = status


class ProxyAway(OSError):
    """Nothing can be reached where the proxy should be. `behind` says why."""

    def __init__(self, behind: OSError) -> None:
        super().__init__("the proxy is not reached")
        self.behind = behind


class NotAWebSocket(OSError):
    """What answered does not speak WebSocket there. `status` is its HTTP status; 0 if it answered anything else."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Wire:
    """A connection on which nothing has been said."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_probed: bool = False
    """Whether the kernel finds out by itself that the server's machine is no longer there; a proxy's is another."""

    def close(self) -> None:
        """End it once everything is written."""
        # Not a second time: asyncio's TLS then forgets what it was closing, and `cut` raises (in Python 3.11.2, which
        # is Debian 12's) or does nothing, and a dead link lasts for as long as the kernel has patience with it.
        if not self.writer.is_closing():
            self.writer.close()

    def cut(self) -> None:
        """End it at once, whatever is still to be written."""
        self.writer.transport.abort()

    async def until_closed(self) -> None:
        """Wait until the socket is closed; whatever is wrong with it no longer matters."""
        # In a task of its own: a wait that is cancelled would cancel that of everybody after it.
        waiting = asyncio.ensure_future(self.writer.wait_closed())
        waiting.add_done_callback(_ignore)
        await asyncio.wait({waiting})


def _ignore(waiting: asyncio.Future[None]) -> None:
    if not waiting.cancelled():
        waiting.exception()


async def lay(address: ServerAddress, *, tls: ssl.SSLContext | None, proxy: ServerAddress | None) -> Wire:
    """Connect. The caller limits the time.

    Raises:
        OSError: `socket.gaierror`, `ssl.SSLError`, `ProxyAway`, `ProxyRefused` and all that a network can do.
    """
    if address.is_encrypted != (tls is not None):
        raise ValueError("TLS for exactly the addresses that say so")
    reached = await _reach(address) if proxy is None else await _reach_proxy(proxy)
    try:
        is_probed = _probe(reached) and proxy is None
        if proxy is not None:
            await _tunnel(reached, address)
    except BaseException:
        reached.close()
        raise
    return Wire(*await _wired(reached, tls, None if tls is None else address.host), is_probed)


async def _reach(place: ServerAddress) -> socket.socket:
    """A connected socket to the first of a name's addresses that answers."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    for number, (family, kind, protocol, _, where) in enumerate(found, start=1):
        reached = socket.socket(family, kind, protocol)
        try:
            reached.setblocking(False)
            async with asyncio.timeout(_NEXT_AFTER_S if number < len(found) else None):
                await loop.sock_connect(reached, where)
        except BaseException as problem:
            reached.close()
            if number == len(found) or not isinstance(problem, OSError):  # TimeoutError is one
                raise
        else:
            return reached
    raise socket.gaierror(socket.EAI_NONAME, "no address")


async def _reach_proxy(proxy: ServerAddress) -> socket.socket:
    try:
        return await _reach(proxy)
    except OSError as problem:
        raise ProxyAway(problem) from None


def _probe(reached: socket.socket) -> bool:
    """Have the kernel ask after the other end; whether it does so as soon as we want it to."""
    reached.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    known = [(getattr(socket, name), value) for name, value in _PROBES.items() if hasattr(socket, name)]
    for option, value in known:
        reached.setsockopt(socket.IPPROTO_TCP, option, value)
    return len(known) >= len(_PROBES) - 1


async def _wired(reached: socket.socket, tls: ssl.SSLContext | None, server_name: str | None) -> _Streams:
    """The socket as asyncio's streams, after the TLS handshake."""
    making = asyncio.ensure_future(
        asyncio.open_connection(sock=reached, ssl=tls, server_hostname=server_name, limit=READ_AHEAD_BYTES)
    )
    try:
        await asyncio.wait({making})
    except asyncio.CancelledError:
        # asyncio loses a socket whose handshake is cancelled before it has begun, so it is let begin.
        await asyncio.sleep(0)
        making.cancel()
        making.add_done_callback(_cut)
        raise
    return making.result()


def _cut(making: asyncio.Future[_Streams]) -> None:
    if not making.cancelled() and making.exception() is None:
        Wire(*making.result()).cut()


async def _tunnel(reached: socket.socket, address: ServerAddress) -> None:
    """Have the proxy connect through to the server (RFC 9110 section 9.3.6)."""
    asked = f"CONNECT {address.authority} HTTP/1.1\r\nHost: {address.authority}\r\n\r\n"
    await asyncio.get_running_loop().sock_sendall(reached, asked.encode("ascii"))
    status = _status(await _answer(reached))
    if not 200 <= status < 300:
        raise ProxyRefused(status)


async def _answer(tunnel: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    answer = b""
    while b"\r\n\r\n" not in answer:
        chunk = await loop.sock_recv(tunnel, _ANSWER_BYTES)
        answer += chunk
        if not chunk or len(answer) > _ANSWER_BYTES:
            raise ProxyRefused(0)
    return answer


def _status(answer: bytes) -> int:
    line = _STATUS_LINE.match(answer)
    # Over TLS the server waits for us to begin: whatever follows the answer already is not the server's.
    if line is None or not answer.endswith(b"\r\n\r\n"):
        raise ProxyRefused(0)
    return int(line.group(1))
