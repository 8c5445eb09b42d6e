"""`python -m tests.support.flooder`: a process of its own that sends as fast as the server takes it, until it is cut.

Told once, on standard input, where and as whom; says `in` when it is admitted, floods when it is sent another line, and
says `cut` when the server has ended its connection, or `spent` when its time is over.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import sys
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

BLOCK_BYTES = 256 * 1024


def main() -> None:
    """Flood."""
    told = json.loads(sys.stdin.readline())
    context = ssl.create_default_context(cafile=told["ca"])
    context.load_cert_chain(told["chain"], told["key"])
    with (
        socket.create_connection((told["host"], told["port"])) as plain,
        context.wrap_socket(plain, server_hostname=told["host"]) as link,
    ):
        _enter(link, told)
        print("in", flush=True)
        sys.stdin.readline()
        message = f"PUB {told['subject']} {told['size']}\r\n".encode() + bytes(told["size"]) + b"\r\n"
        block = message * max(1, BLOCK_BYTES // len(message))
        ends_at = time.monotonic() + told["seconds"]
        try:
            while time.monotonic() < ends_at:
                link.sendall(block)
        except OSError:
            print("cut", flush=True)
        else:
            print("spent", flush=True)


def _enter(link: ssl.SSLSocket, told: dict[str, Any]) -> None:
    nonce = str(json.loads(_line(link)[5:])["nonce"])
    signature = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(told["seed"])).sign(nonce.encode())
    shown = {
        "verbose": False,
        "pedantic": False,
        "jwt": told["jwt"],
        "sig": base64.urlsafe_b64encode(signature).rstrip(b"=").decode(),
        "lang": "raw",
        "version": "0",
        "protocol": 1,
    }
    link.sendall(b"CONNECT " + json.dumps(shown).encode() + b"\r\nPING\r\n")
    while not (line := _line(link)).startswith(b"PONG"):
        if line.startswith(b"-ERR") or not line:
            raise SystemExit(line.decode(errors="replace"))


def _line(link: ssl.SSLSocket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        byte = link.recv(1)
        if not byte:
            return b""
        line += byte
    return line


if __name__ == "__main__":
    main()
