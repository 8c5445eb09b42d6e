"""A program that writes as fast as it can and says each acknowledged number on standard output, until it is killed."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from broker.node.store import Store, Transaction
from tests.contract.store.conftest import PEOPLE_FREE_TABLES

WRITERS = 16
GAP = 1_000_000


async def main(path: Path) -> None:
    store = Store.open(path, migrations=PEOPLE_FREE_TABLES)

    async def write_on(writer: int) -> None:
        def last(tx: Transaction) -> int:
            row = tx.execute("SELECT max(id) FROM mark WHERE id < ?", ((writer + 1) * GAP,)).fetchone()
            return max(row[0] or 0, writer * GAP)

        number = await store.read(last)
        while True:
            number += 1

            def work(tx: Transaction, number: int = number) -> None:
                # The child row first: half of a work is a broken reference.
                tx.execute("INSERT INTO child (id, mark_id) VALUES (?, ?)", (number, number))
                tx.execute("INSERT INTO mark (id, note) VALUES (?, 'x')", (number,))

            await store.write(work)
            os.write(1, b"%d\n" % number)

    await asyncio.gather(*(write_on(writer) for writer in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
