"""T01: whoever runs the bus, reads a store, a log line, a metric or a file name learns nothing of a person.

Marked names, numbers, reasons and records go through a whole run; then every byte that anybody but desk, agency and
officer can see is searched for them, in every form they could take.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import pytest

from broker.node.journal import configure_journal
from schemas.envelope import unpack
from schemas.messages.model import read
from schemas.messages.request import RequestHeader
from tests.adversary.marks import MARKS, forms, shown_in
from tests.support.world import CASE_WORDS, HOUR_MS, NHS, World


async def run_everything(world: World) -> None:
    """One of each: answered, refused, withdrawn, late, could not look, possible match, looked at, closed."""
    first = await world.open_enquiry()
    answered = await world.ask(first)
    await world.opened(answered)
    await world.tell_desk("GET", f"/enquiries/{first}/answers")
    refused = await world.open_enquiry(
        stage="screening", rag="green", purpose="screening", lawful_bases=["ca2004-11"], consent="not_sought"
    )
    await world.ask(refused, "southshire")
    await world.stop_party("southshire")
    withdrawn = await world.ask(await world.open_enquiry(), "southshire")
    late = await world.ask(first, "southshire")
    await world.settle()
    await world.tell_desk("POST", f"/requests/{withdrawn}/withdraw")
    await world.turn(5 * HOUR_MS, step_ms=HOUR_MS)
    await world.start_party("southshire")
    await world.opened(late)
    world.sources["northshire"].is_away = True
    away = await world.ask(await world.open_enquiry())
    await world.turn(5 * HOUR_MS, step_ms=HOUR_MS // 4)
    await world.opened(away)
    await world.tell_desk("POST", f"/enquiries/{first}/decision", {"decision": "s47", "reason": "Section 47."})
    await world.tell_desk("POST", f"/enquiries/{first}/close")
    await world.settle()
    await world.check()


def test_the_search_finds_a_mark_in_each_of_its_forms() -> None:
    for before in (b"", b"a", b"ab", b"abc"):
        assert "the child's NHS number" in shown_in(base64.b64encode(before + NHS.encode() + b"xyz"))
    assert "the words of a record" in shown_in(b"--" + CASE_WORDS.encode().hex().encode() + b"--")
    assert shown_in(b"nothing of the sort") == []
    assert all(forms(mark) for mark in MARKS.values())


@pytest.fixture
def journal() -> Iterator[io.StringIO]:
    """Every log line of the test, as a program would write it."""
    stream = io.StringIO()
    configure_journal("tests", stream=stream)
    yield stream
    configure_journal("tests")


async def test_no_mark_shows_anywhere_outside_the_seals(world: World, journal: io.StringIO) -> None:
    await run_everything(world)
    seen = [("a subject or payload on the bus", subject.encode() + b" " + raw) for subject, raw in world.hub.captured]
    seen += [(f"a metric of {name}", party.ground.metrics.exposition()) for name, party in world.running.items()]
    entries = await world.entries()
    assert len(entries) > 15
    seen += [("an entry of the hub's log", repr(entry).encode()) for entry in entries]
    await world.stop()  # so that what lay in a WAL is in the file, and the file can be read
    for path in world.folder.rglob("*"):
        name = str(path.relative_to(world.folder))
        seen.append(("a file name", name.encode()))
        if path.is_file() and name != "desk/officers.json":  # the officers' cards: the desk's own, by design
            seen.append((f"the file {name}", path.read_bytes()))
    assert "bus_connected" in journal.getvalue()
    seen.append(("a log line", journal.getvalue().encode()))
    assert {f"{what}: {mark}" for what, raw in seen for mark in shown_in(raw)} == set()


async def test_nothing_on_the_bus_or_in_the_coordinator_tells_which_enquiries_share_a_child(world: World) -> None:
    """The same child in two enquiries and for two agencies has nothing in common that the coordinator could compare."""
    for _ in range(2):
        enquiry = await world.open_enquiry()
        for agency in world.agencies:
            await world.opened(await world.ask(enquiry, agency))
    headers = [
        read(RequestHeader, unpack(unpack(raw).parts[0]).header)
        for subject, raw in world.hub.captured
        if subject == "hub.coordinator" and b'"kind":"submission"' in raw
    ]
    assert len(headers) == 4
    references = [subject.ref for header in headers for subject in header.subjects]
    assert len(set(references)) == 4
    assert len({header.enquiry for header in headers}) == 4
    assert len({header.addendum_digest for header in headers}) == 4
