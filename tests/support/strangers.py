"""`python -m tests.support.strangers PORT KIND SECONDS [AT-MOST]`: bad handshakes of a kind, one after the other.

The kinds: `garbage`, `no-certificate`, `wrong-certificate`.

Prints how many there were.
"""

from __future__ import annotations

import socket
import ssl
import sys
import time
from contextlib import suppress

from broker.enrolment.tls.authority import Authority
from broker.node.bus.embedded import HOST
from schemas.messages.party import PartyKind
from tests.support.hub_bus import client_context, now_ms

_GARBAGE = b"\x16\x03\x01\x02\x00" + b"\xff" * 512


def main(port: int, what: str, seconds: float, at_most: int | None = None) -> int:
    """Knock until the time is over, or so often."""
    context = _context(what)
    ends_at, knocks = time.monotonic() + seconds, 0
    while time.monotonic() < ends_at and knocks != at_most:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=5) as plain:
            if what == "garbage":
                plain.sendall(_GARBAGE)
                plain.recv(1024)
            else:
                with context.wrap_socket(plain) as link:
                    link.recv(1024)
        knocks += 1
    return knocks


def _context(what: str) -> ssl.SSLContext:
    """A client that believes any server, and shows a certificate of its own authority or none."""
    if what == "wrong-certificate":
        context = client_context(Authority.create([HOST], now=now_ms()), PartyKind.AGENT)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


if __name__ == "__main__":
    print(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), *map(int, sys.argv[4:])))
