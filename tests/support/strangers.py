"""`python -m tests.support.strangers PORT garbage|no-certificate SECONDS`: bad handshakes, one after the other.

Prints how many there were.
"""

from __future__ import annotations

import socket
import ssl
import sys
import time
from contextlib import suppress

from broker.node.bus.embedded import HOST

_GARBAGE = b"\x16\x03\x01\x02\x00" + b"\xff" * 512


def main(port: int, what: str, seconds: float) -> int:
    """Knock until the time is over."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    ends_at, knocks = time.monotonic() + seconds, 0
    while time.monotonic() < ends_at:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=5) as plain:
            if what == "garbage":
                plain.sendall(_GARBAGE)
                plain.recv(1024)
            else:
                with context.wrap_socket(plain) as link:  # without a certificate of its own
                    link.recv(1024)
        knocks += 1
    return knocks


if __name__ == "__main__":
    print(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
