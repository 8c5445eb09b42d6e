"""NATS inside a WebSocket (RFC 6455), for sites where only port 443 is open.

Owns the frames, by the protocol of `websockets`, which never waits; the bytes go over the same `Wire` as everything
else, so TLS, our certificate and the proxy are no other than without it. Imported only where a `wss://` is dialled.
No compression: what is compressed together with what others choose can be guessed from its length.
"""

from __future__ import annotations

import asyncio
from typing import Final

import nats.errors
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.uri import parse_uri

from broker.node.bus.address import ServerAddress
from broker.node.bus.transport import WireTransport
from broker.node.bus.wire import NotAWebSocket, Wire

_CHUNK_BYTES: Final = 64 * 1024
_FRAME_BYTES: Final = 64 * 1024 * 1024
"""nats-server puts all that waits for a client into one frame, and cuts a client for whom more than this waits."""
_GOING_AWAY: Final = 1001
_ALERT_WITHIN_S: Final = 0.05
"""A server on the same network that refuses our certificate has said so by then."""


class WebSocketTransport(WireTransport):
    """NATS in binary frames over TLS."""

    def __init__(self, wire: Wire, address: ServerAddress) -> None:
        super().__init__(wire, is_encrypted=True)
        self._protocol = ClientProtocol(parse_uri(address.url), max_size=_FRAME_BYTES)
        self._unread = bytearray()
        self._is_over = False

    async def shake_hands(self) -> None:
        """Ask the server to go on in frames. The caller limits the time.

        Raises:
            NotAWebSocket: it does not.
        """
        # In TLS 1.3 the server looks at our certificate when we take the handshake for done. If it has gone by the time
        # we write, the system tells us that it went instead of what it said.
        await asyncio.sleep(_ALERT_WITHIN_S)
        self._protocol.send_request(self._protocol.connect())
        self._send()
        while self._protocol.state is State.CONNECTING and not self._is_over:
            await self._hear()
        refusal = self._protocol.handshake_exc
        if refusal is not None or self._is_over:
            raise NotAWebSocket(refusal.response.status_code if isinstance(refusal, InvalidStatus) else 0)

    def write(self, payload: bytes) -> None:
        """Take bytes to be sent, in one frame."""
        if self._protocol.state is not State.OPEN:
            raise ConnectionResetError("the WebSocket is closed")
        self._protocol.send_binary(payload)
        self._send()

    async def read(self, buffer_size: int) -> bytes:
        """The next bytes, of however many frames; none at the end of the connection."""
        while not self._unread and not self._is_over:
            await self._hear()
        data = bytes(self._unread)
        self._unread.clear()
        return data

    async def readline(self) -> bytes:
        """The next line."""
        while (end := self._unread.find(b"\n") + 1) == 0 and not self._is_over:
            if len(self._unread) > _CHUNK_BYTES:
                raise nats.errors.ProtocolError
            await self._hear()
        end = end or len(self._unread)
        line = bytes(self._unread[:end])
        del self._unread[:end]
        return line

    def at_eof(self) -> bool:
        """Whether the connection has ended and everything was read."""
        return self._is_over and not self._unread

    def close(self) -> None:
        """Say goodbye, and begin to close once everything is written."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(_GOING_AWAY)
            self._send()
        super().close()

    def _send(self) -> None:
        for data in self._protocol.data_to_send():
            if data:  # nothing stands for the end of what we say; TLS has no such half
                self._put(data)

    async def _hear(self) -> None:
        data = await self._get(_CHUNK_BYTES)
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
            self._is_over = True
        self._send()  # pongs, and the answer to a goodbye
        for event in self._protocol.events_received():
            self._take(event)
        if self._protocol.state not in (State.CONNECTING, State.OPEN):
            self._is_over = True

    def _take(self, event: Frame | Request | Response) -> None:
        if isinstance(event, Frame) and event.opcode in (Opcode.BINARY, Opcode.CONT):
            self._unread += event.data
        elif isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.CLOSE):
            self._is_over = True  # a server of ours speaks in binary frames alone
