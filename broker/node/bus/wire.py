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
"""What is read between two turns of the loop is at most twice this: some hundred messages, a few milliseconds."""
_OTHER_FAMILY_AFTER_S: Final = 0.25
"""RFC 8305: a name with an IPv6 address that leads nowhere costs a quarter of a second, not a whole time limit."""
_ANSWER_BYTES: Final = 8192
"""Of a proxy's whole answer: a status line and a few headers."""
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")


class ProxyRefused(OSError):
    """The proxy does not connect through. `status` is its HTTP status; 0 if it answered anything else."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the proxy answered {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Wire:
    """A connection on which nothing has been said."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

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
        OSError: `socket.gaierror`, `ssl.SSLError`, `ProxyRefused` and all that a network can do.
    """
    if address.is_encrypted != (tls is not None):
        raise ValueError("TLS for exactly the addresses that say so")
    server_name = None if tls is None else address.host
    if proxy is None:
        reader, writer = await asyncio.open_connection(
            address.host,
            address.port,
            ssl=tls,
            server_hostname=server_name,
            limit=READ_AHEAD_BYTES,
            happy_eyeballs_delay=_OTHER_FAMILY_AFTER_S,
        )
    else:
        tunnel = await _tunnel(proxy, address)
        try:
            reader, writer = await asyncio.open_connection(
                sock=tunnel, ssl=tls, server_hostname=server_name, limit=READ_AHEAD_BYTES
            )
        except BaseException:
            tunnel.close()
            raise
    # Below the pings of NATS: a machine that sleeps for days is told so by its own kernel.
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return Wire(reader, writer)


async def _tunnel(proxy: ServerAddress, address: ServerAddress) -> socket.socket:
    """A socket that the proxy has connected through to the server (RFC 9110 section 9.3.6)."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, where = found[0]
    tunnel = socket.socket(family, kind, protocol)
    try:
        tunnel.setblocking(False)
        await loop.sock_connect(tunnel, where)
        asked = f"CONNECT {address.authority} HTTP/1.1\r\nHost: {address.authority}\r\n\r\n"
        await loop.sock_sendall(tunnel, asked.encode("ascii"))
        status = _status(await _answer(tunnel))
        if not 200 <= status < 300:
            raise ProxyRefused(status)
    except BaseException:
        tunnel.close()
        raise
    return tunnel


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
