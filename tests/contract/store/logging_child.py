"""A program that appends to its log as fast as it can and says each receipt in hexadecimal, until it is killed."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.node.log import LOG_MIGRATIONS, LockCopy, Log
from broker.node.store import AfterSeal, Store, Transaction
from schemas.ledger.note import Ed25519NoteSigner

ORIGIN = "hub.example/sharing-log"
SIGNER = Ed25519NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
WRITERS = 16


def open_log(directory: Path) -> tuple[Store, Log]:
    log = Log(ORIGIN, lambda: [SIGNER], LockCopy(directory / "checkpoint.lock"))
    return Store.open(directory / "store.db", migrations=LOG_MIGRATIONS, companion=log), log


async def main(directory: Path) -> None:
    store, log = open_log(directory)

    async def append_on() -> None:
        while True:
            leaf = secrets.token_hex(16).encode()

            def work(tx: Transaction, leaf: bytes = leaf) -> AfterSeal[bytes]:
                index = log.append(tx, leaf)
                return AfterSeal(lambda tx, seal: seal.receipt(index))

            os.write(1, (await store.write(work)).hex().encode() + b"\n")

    await asyncio.gather(*(append_on() for _ in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
