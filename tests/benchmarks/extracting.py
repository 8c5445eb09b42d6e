"""A data subject's extract: what it takes to find a person's exchanges in a log of so many requests.

A real coordinator's store and command socket; its requests are of other people, each with an addendum of its own, and
one in a thousand is about the person. The lead's program is a process of its own, so that its memory is its own.
`python -m tests.benchmarks.extracting SOCKET KEY` is that process; it prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from broker.client.extract.person import person_of
from broker.client.extract.searching import search
from broker.coordinator import records
from broker.coordinator.coordinator_commands import CoordinatorCommands
from broker.coordinator.program import build_coordinator, open_log
from broker.coordinator.room import Room
from broker.node.bus.access import PLAINTEXT
from broker.node.bus.nats import NatsBus
from broker.node.clock import SystemClock
from broker.node.command_client import CommandClient
from broker.node.commands import CommandServer
from broker.node.ground import open_ground
from broker.node.keyfile import read_key_file
from broker.node.metrics import build_metrics
from broker.node.store.port import Transaction
from schemas.crypto.keys import PublicKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest
from schemas.messages.addendum import make_addendum
from schemas.messages.entry import RequestEntry, WithdrawnEntry, nonce
from schemas.messages.request import NameGiven, OfficerNamed, RequestTold, Subject, Told
from schemas.vocabulary import Stage as EnquiryStage
from schemas.vocabulary import SubjectRole
from tests.benchmarks.child import ROOT
from tests.benchmarks.staging import AGENCY, HUB, Stage
from tests.benchmarks.tables import Table

REQUESTS: Final = (1_000, 10_000)
QUICK_REQUESTS: Final = (1_000,)
_GROUP: Final = 1_000
_THEIRS: Final = 1_000
"""One request in so many is about the person."""
_PERSON: Final = {"names": [{"given": "Octavia", "family": "Chislett"}], "birth_date": "2008-09-20"}


async def measure_extracting(*, quick: bool, sizes: tuple[int, ...] = ()) -> list[Table]:
    """Seconds, and the memory of the lead's program."""
    columns = ("requests", "found", "seconds", "ms a request", "lead's CPU ms a request", "lead's peak MB")
    table = Table("An extract for a data subject: finding a person's exchanges, with the lead's key", columns)
    # Not the default place, which may be memory: every page that is read becomes an entry.
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="needtoknow-bench-") as name:
        stage = Stage(Path(name), "nats://127.0.0.1:1")  # never connected
        stage.set_up()
        bus = NatsBus(stage.bus_url, name="extracting", access=PLAINTEXT)
        ground = await open_ground(
            stage.coordinator, migrations=records.MIGRATIONS, bus=bus, clock=SystemClock(), metrics=build_metrics()
        )
        room = build_coordinator(ground, settle_in=timedelta(0)).room
        await open_log(room)
        server = CommandServer(stage.coordinator.socket_path, CoordinatorCommands(room).table())
        serving = asyncio.create_task(server.serve())
        try:
            filled = 0
            for size in sizes or (QUICK_REQUESTS if quick else REQUESTS):
                await _fill(room, _lead(stage), filled, size)
                filled = size
                table.add(size, *await _measured(stage, size))
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await ground.store.close()
            ground.keys.close()
    return [table]


def _lead_key(stage: Stage) -> Path:
    return stage.folder / "desk.lead"


def _lead(stage: Stage) -> PublicKey:
    return read_key_file(_lead_key(stage)).identity(KeyPurpose.ADDENDUM).public


async def _fill(room: Room, lead: PublicKey, start: int, stop: int) -> None:
    """Requests `start` to `stop`, each permitted and taken back."""
    for at in range(start, stop, _GROUP):
        made = await asyncio.to_thread(_requests, room, lead, range(at, at + _GROUP))

        def append(tx: Transaction, made: list[tuple[bytes, list[bytes]]] = made) -> None:
            for addendum, leaves in made:
                records.put_addendum(tx, digest(addendum), None, addendum)
                for leaf in leaves:
                    room.log.append(tx, leaf)

        await room.ground.store.write(append)


def _requests(room: Room, lead: PublicKey, numbers: range) -> list[tuple[bytes, list[bytes]]]:
    return [_request(room, lead, number) for number in numbers]


def _request(room: Room, lead: PublicKey, number: int) -> tuple[bytes, list[bytes]]:
    exchange, now = nonce(), room.post.clock.now()
    theirs = number % _THEIRS == 0
    name = NameGiven(given="Octavia", family="Chislett" if theirs else f"Chislett-{number}")
    role, born = SubjectRole.INDEX_CHILD, "2008-09-20"
    subject = Subject(ref=nonce(), role=role, name=name, birth_date=born, other_names=[], identifiers=[], addresses=[])
    told = Told(
        subjects=[subject],
        officer=OfficerNamed(id="officer", name="Sam Okoro", position="Duty social worker"),
        stage=EnquiryStage.ENQUIRY,
        reason="Bruising seen at school; explanation does not fit.",
    )
    addendum, _ = make_addendum(HUB, exchange, RequestTold(exchange=exchange, told=told).encode(), [lead])
    about: dict[str, Any] = {
        "log": room.log.origin,
        "hub": room.hub,
        "t": now,
        "exchange": exchange,
        "agency": AGENCY,
        "seq": 1,
    }
    return (
        addendum,
        [
            RequestEntry(
                **about,
                n=nonce(),
                deadline_at=now,
                expires_at=now,
                request_digest="0" * 64,
                grant_digest="0" * 64,
                addendum_digest=digest(addendum),
                desk_key="0" * 32,
                desk_sig="0" * 128,
            ).encode(),
            WithdrawnEntry(**about, n=nonce(), desk_deed="0" * 64).encode(),
        ],
    )


async def _measured(stage: Stage, size: int) -> tuple[int, float, float, float, float]:
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "tests.benchmarks.extracting",
            str(stage.coordinator.socket_path),
            str(_lead_key(stage)),
        ),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    told = json.loads(said)
    seconds = time.perf_counter() - started
    return told["found"], seconds, 1000 * seconds / size, 1000 * told["cpu_s"] / size, told["peak_mb"]


def main(socket: str, key: str) -> None:
    """The lead's program."""
    client = CommandClient(Path(socket))
    keys = [read_key_file(Path(key)).identity(KeyPurpose.ADDENDUM)]
    found = search(lambda command, arguments: client.ask(command, arguments), keys, person_of(_PERSON), HUB)
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {"found": len(found.found), "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1000}
    json.dump(told | {"unread": found.unread}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
