"""T04: a silent denial must look, to everybody but the agency, exactly like a person nobody knows: in the words shown
and in the size of what is sent. That it leaves at the same instant too is tried by
`tests/unit/agents/runtime/answering/test_slots.py`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agents.runtime.source import Label, PersonName
from schemas.envelope import unpack
from schemas.messages.transport import kind_of, read_outer
from tests.support.world import World


async def shown_and_sizes(folder: Path, *, silent: bool) -> tuple[list[object], list[tuple[str, list[int]]]]:
    """What the officer sees, and the kinds and sizes of everything the agency sent about one request."""
    world = World(folder)
    await world.start()
    try:
        source = world.sources["northshire"]
        child = source.persons[0]
        if silent:
            source.persons[0] = replace(child, labels=frozenset({Label.ADOPTED}))
        else:
            source.persons[0] = replace(
                child, names=(PersonName("Someone", "Else"),), birth_dates=(), identifiers=frozenset()
            )
        enquiry = await world.open_enquiry()
        await world.opened(await world.ask(enquiry))
        answers = await world.tell_desk("GET", f"/enquiries/{enquiry}/answers")
        token = world.home("northshire").own().token
        sent = {}
        for subject, raw in world.hub.captured:
            envelope = unpack(raw)
            outer = read_outer(envelope.header)
            kind = kind_of(type(outer))
            # How often it asks for the directory, or says hello, goes by what else the machine does.
            if subject.startswith(f"from.{token}.") and kind in ("acknowledgement", "deed", "released"):
                sent[outer.message_id] = kind, [len(part) for part in envelope.parts]
        kept = ("state", "says", "rule", "reason", "confirm", "late", "part_quarantined")
        return [{name: cell[name] for name in kept} for cell in answers["outcomes"]], list(sent.values())
    finally:
        await world.stop()


async def test_a_silent_denial_looks_like_a_person_nobody_knows(tmp_path: Path) -> None:
    denied, denied_sizes = await shown_and_sizes(tmp_path / "denied", silent=True)
    unknown, unknown_sizes = await shown_and_sizes(tmp_path / "unknown", silent=False)
    assert [cell["state"] for cell in denied] == ["not_known"]  # type: ignore[index]
    assert denied == unknown
    assert [kind for kind, _ in denied_sizes] == [kind for kind, _ in unknown_sizes]
    for (kind, one), (_, other) in zip(denied_sizes, unknown_sizes, strict=True):
        if kind == "released":  # the sealed answer: one bucket, to the byte
            assert one[0] == other[0]
        assert len(one) == len(other)


@pytest.mark.parametrize("silent", [True, False])
async def test_the_truth_is_in_the_agencys_own_log_whether_denied_or_released(tmp_path: Path, silent: bool) -> None:
    world = World(tmp_path)
    await world.start()
    try:
        if silent:
            source = world.sources["northshire"]
            source.persons[0] = replace(source.persons[0], labels=frozenset({Label.ADOPTED}))
        await world.opened(await world.ask(await world.open_enquiry()))
        kinds = [one["entry"]["type"] for one in (await world.command("northshire", "log", {"last": 50}))["entries"]]
        assert "kept-back" in kinds
    finally:
        await world.stop()
