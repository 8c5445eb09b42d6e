"""What a server lets a stranger do before anything was said: tried from outside, with nothing in hand.

Owns three attempts: plaintext, TLS before 1.3, no certificate. Refuses to know accounts and configuration. A server
that is safe refuses each of them, and none of them costs it more than a handshake.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from broker.enrolment.checks.configured import Finding
from broker.node.bus.address import ServerAddress

PROBE_WITHIN: Final = timedelta(seconds=3)
SILENCE: Final = timedelta(milliseconds=800)
"""A server that speaks first does so at once; one that waits for TLS stays silent until it gives up."""
_REQUEST: Final = b"GET / HTTP/1.1\r\nHost: probe\r\n\r\n"
_NOT_HERE: Final = b"HTTPS server"
"""What a WebSocket port says to a request in plaintext, before it closes."""
_ENOUGH_BYTES: Final = 512
_ABOUT_US: Final = ("CERTIFICATE", "HANDSHAKE_FAILURE")


@dataclass(frozen=True, slots=True)
class _Attempt:
    context: ssl.SSLContext | None
    found: str

    @property
    def is_old(self) -> bool:
        return self.context is not None and self.context.maximum_version is ssl.TLSVersion.TLSv1_2


async def probe(address: ServerAddress) -> list[Finding]:
    """What is unsafe about the server at that address, or that nothing answers there."""
    where = f"{address.host}:{address.port}"
    block = "websocket.tls" if address.is_websocket else "tls"
    first = "" if address.is_websocket else "; set tls.handshake_first: true in its configuration"
    attempts = (
        _Attempt(None, f"it speaks before TLS, so a client can be talked into plaintext{first}"),
        _Attempt(_no_certificate(ssl.TLSVersion.TLSv1_2), f'it takes TLS before 1.3; set {block}.min_version: "1.3"'),
        _Attempt(_no_certificate(None), f"it takes clients without a certificate; set {block}.verify: true"),
    )
    found = []
    for attempt in attempts:
        try:
            async with asyncio.timeout(PROBE_WITHIN.total_seconds()):
                if await _is_answered(address, attempt):
                    found.append(Finding(where, attempt.found))
        except ssl.SSLError as refusal:
            # In TLS 1.2 a certificate is asked for within the handshake: it refused that, and not the version.
            if attempt.is_old and any(word in (refusal.reason or "") for word in _ABOUT_US):
                found.append(Finding(where, attempt.found))
        except (OSError, TimeoutError):
            if attempt.context is None:
                return [Finding(where, "nothing answers there; start the server, or correct the address")]
    return found


async def _is_answered(address: ServerAddress, attempt: _Attempt) -> bool:
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=attempt.context)
    try:
        if attempt.is_old:
            return True  # the handshake alone is too much
        if address.is_websocket:
            writer.write(_REQUEST)
            await writer.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(SILENCE.total_seconds()):
                answer = await reader.read(_ENOUGH_BYTES)
                return bool(answer) and _NOT_HERE not in answer
        return False
    except ConnectionError:
        return False
    finally:
        writer.transport.abort()
        with suppress(OSError):  # it was refused, which is what is hoped for; nobody else would ever hear of it
            await writer.wait_closed()


def _no_certificate(most: ssl.TLSVersion | None) -> ssl.SSLContext:
    # Whose server it is does not matter here: nothing is said to it.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if most is not None:
        context.minimum_version = most
        context.maximum_version = most
    return context
