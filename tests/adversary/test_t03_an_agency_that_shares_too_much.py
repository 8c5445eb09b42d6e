"""T03: a faulty or hostile agency answers with more than was granted: kept back, recorded, never shown.

The agency's own programs are made to say it, so that everything else about the answer holds: seal, signatures, log.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.runtime.agent import Agent
from agents.runtime.answering import writing
from agents.runtime.gatekeeping.outcomes import Decided
from broker.cli.tables import PART_QUARANTINED, answers_text, enquiry_text, request_text
from broker.desk.told import QuarantineTold
from broker.node.addenda import read_addendum
from broker.node.keyfile import KeyFileInvalid
from schemas import canonical
from schemas.crypto.keys import PublicKey
from schemas.crypto.sealing import Sealing, seal
from schemas.messages.addendum import NotAReader
from schemas.messages.answer import AnswerBody, OutcomeRow
from schemas.vocabulary import Category, Mode
from tests.support.hostile import Carried, HostileHub
from tests.support.restoring import lose_and_restore, make_backup
from tests.support.world import CASE_WORDS, World

EXCESS = "Told by the neighbour at number nine."
Row = dict[str, Any]
Rows = Callable[[list[Row]], list[Row]]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A hub and two police forces, on a bus that keeps what was said."""
    world = World(tmp_path, agencies=("northshire", "southshire"), hub=HostileHub())
    await world.start()
    yield world
    await world.stop()


def with_fact(**more: object) -> Rows:
    """More in every fact."""
    return lambda rows: [{**row, "facts": [{**fact, **more} for fact in row["facts"]]} for row in rows]


def with_row(**changes: object) -> Rows:
    """One outcome more, like the first but for the changes."""
    return lambda rows: [*rows, {**rows[0], **changes}]


def existence_as_content(rows: list[Row]) -> list[Row]:
    return [{**row, "mode": "existence", "facts": [{"held": True, "note": EXCESS}]} for row in rows]


def declined(row: Row, written: str) -> Row:
    return {**row, "outcome": "withheld", "reason": "declined.not_relevant", "written": written, "facts": []}


def ten_thousand_facts(rows: list[Row]) -> list[Row]:
    return [{**row, "facts": [{"type": EXCESS}] * 10_000} for row in rows]


SEPARABLE: dict[str, Rows] = {
    "a field that was not granted": with_fact(summary_text=EXCESS),
    "a field that there is not": with_fact(neighbour=EXCESS),
    "another category": with_row(category="police.missing", facts=[{"Date": "2026-03-04", "RiskGrade": "high"}]),
    "another subject": with_row(subject="ab" * 16, facts=[{"type": EXCESS}]),
}
WHOLE: dict[str, Rows] = {
    "the content where its existence would do": existence_as_content,
    "a part inside a field": with_fact(outcome={"said": EXCESS}),
    "a list inside a field": with_fact(outcome=[EXCESS]),
    "a value of a wrong type": with_fact(date=20261001),
    "a date that is none": with_fact(date=EXCESS),
    "a text without end": with_fact(outcome=EXCESS * 2_000),
}
UNREADABLE: dict[str, Rows] = {
    "a rule in words of its own": lambda rows: [{**rows[0], "rule": "told-by-the-neighbour"}],
    "a category that there is not": with_row(category="police.neighbours", facts=[{"type": EXCESS}]),
    "ten thousand facts": ten_thousand_facts,
    "one question answered twice": with_row(facts=[{"type": EXCESS}]),
    "a member that no outcome has": with_row(subject="ab" * 16, aside=EXCESS),
    "words beside facts": lambda rows: [{**rows[0], "reason": "declined.not_relevant", "written": EXCESS}],
    "words beside somebody unknown": with_row(subject="ab" * 16, outcome="not_known", facts=[], written=EXCESS),
    "a reason in words without end": lambda rows: [declined(rows[0], EXCESS * 200)],
    "a reason in words that steers a terminal": lambda rows: [declined(rows[0], f"{EXCESS}\x1b[2J")],
    "more reasons in words than an answer has": lambda rows: [
        declined({**rows[0], "subject": f"{number:032x}"}, EXCESS * 80 + str(number)) for number in range(4)
    ],
    "facts where nothing is known": with_row(subject="ab" * 16, outcome="not_known", facts=[{"type": EXCESS}]),
}


def answer_with(monkeypatch: pytest.MonkeyPatch, change: Rows) -> None:
    """Have the agency's programs say that, in the answer and in what they tell the log of it."""
    honest = writing._fitted

    def fitted(exchange: str, decided: Sequence[Decided], handling: str) -> list[Decided]:
        fitting = honest(exchange, decided, handling)
        rows = [OutcomeRow.model_validate_json(json.dumps(row)) for row in change(_dumped(fitting))]
        return [replace(fitting[0], row=row) for row in rows]

    monkeypatch.setattr(writing, "_fitted", fitted)


def answer_unreadably(monkeypatch: pytest.MonkeyPatch, change: Rows, **body_says: object) -> None:
    """Have the agency's programs seal that, whatever they tell the log."""

    def sealed(header: bytes, body: AnswerBody, recipient: PublicKey) -> bytes:
        members = {**json.loads(body.encode()), **body_says}
        content = canonical.encode({**members, "outcomes": change(members["outcomes"])})
        return seal(Sealing.ANSWER, header, content, recipient)

    monkeypatch.setattr(writing, "seal_answer", sealed)


def _dumped(decided: Sequence[Decided]) -> list[Row]:
    return [one.row.model_dump(mode="json", exclude_none=True) for one in decided]


async def answered(world: World) -> tuple[str, str]:
    """An enquiry of one request that was answered; its ids."""
    enquiry = await world.open_enquiry()
    exchange = await world.ask(enquiry)
    await world.opened(exchange)
    await world.settle()
    return enquiry, exchange


async def quarantine_of(world: World, exchange: str) -> Row:
    """The entry that something of an answer was kept back; there is exactly one."""
    (entry,) = [one for one in await world.entries() if one["type"] == "quarantined"]
    assert (entry["exchange"], entry["agency"]) == (exchange, "northshire")
    return entry


async def told_to(world: World, party: str, entry: Row) -> QuarantineTold:
    """What the information governance lead of a party reads with his own key in the entry's addendum."""
    told = read_addendum(*(await sealed(world, entry)), world.folder / f"{party}-lead.key")
    return QuarantineTold.model_validate_json(json.dumps(told))


async def alerted(world: World, exchange: str, told: QuarantineTold) -> None:
    """The agency's own lead was told of it by the hub, and reads the same without asking the hub for anything."""
    newest = (await world.command("northshire", "alerts"))["alerts"][-1]
    assert (newest["kind"], newest["exchange"]) == ("quarantined", exchange)
    alert = await world.command("northshire", "alert", {"number": newest["number"]})
    named, lead = alert["entry"]["addendum_digest"], world.folder / "northshire-lead.key"
    read = read_addendum(b64decode(alert["addendum"]), named, lead)
    assert QuarantineTold.model_validate_json(json.dumps(read)) == told
    assert (await world.command("southshire", "alerts"))["alerts"] == []


async def sealed(world: World, entry: Row) -> tuple[bytes, str]:
    """An entry's addendum as the coordinator keeps it, and the digest that the entry names."""
    named = entry["addendum_digest"]
    return b64decode((await world.command("coordinator", "addendum", {"sha256": named}))["raw"]), named


async def shown(world: World, enquiry: str, exchange: str) -> tuple[Row, str]:
    """The answers, and everything that an officer can see of it in words or JSON."""
    answers = await world.tell_desk("GET", f"/enquiries/{enquiry}/answers")
    progress = await world.tell_desk("GET", f"/enquiries/{enquiry}")
    request = await world.tell_desk("GET", f"/requests/{exchange}")
    texts = [answers_text(answers), enquiry_text(progress), request_text(request)]
    for text in texts:
        assert PART_QUARANTINED in text
    return answers, "\n".join([*texts, json.dumps([answers, progress, request])])


def acknowledgement(world: World, exchange: str) -> Carried:
    """What the desk said to the sender of an answer."""
    assert isinstance(world.hub, HostileHub)
    return [one for one in world.hub.carried if (one.about, one.exchange) == ("acknowledgement of released", exchange)][
        -1
    ]


async def kept_back(world: World) -> tuple[Row, QuarantineTold]:
    """An answer with excess: what an officer sees of it, and what both leads read, neither of which is the excess."""
    enquiry, exchange = await answered(world)
    answers, everything = await shown(world, enquiry, exchange)
    entry = await quarantine_of(world, exchange)
    hub, agency = [await told_to(world, party, entry) for party in ("desk", "northshire")]
    assert hub == agency
    await alerted(world, exchange, hub)
    assert EXCESS not in everything + hub.model_dump_json()
    assert await world.check() == {exchange: "answered"}
    return answers, hub


@pytest.mark.parametrize("what", SEPARABLE)
async def test_what_can_be_separated_is_cut_out_recorded_and_never_shown(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    answer_with(monkeypatch, SEPARABLE[what])
    answers, _ = await kept_back(world)
    assert [CASE_WORDS in line["text"] for line in answers["chronology"]] == [True]
    assert [cell["state"] for cell in answers["outcomes"]] == ["answered"]


@pytest.mark.parametrize("what", WHOLE)
async def test_a_category_whose_excess_cannot_be_separated_is_cut_whole(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    answer_with(monkeypatch, WHOLE[what])
    answers, told = await kept_back(world)
    assert answers["chronology"] == []
    assert [cell["state"] for cell in answers["outcomes"]] == ["quarantined"]
    assert [cut.whole for cut in told.cuts] == [True]


@pytest.mark.parametrize("what", UNREADABLE)
async def test_an_answer_that_cannot_be_read_is_cut_whole_and_not_left_unsaid(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    answer_unreadably(monkeypatch, UNREADABLE[what])
    answers, told = await kept_back(world)
    assert answers["chronology"] == []
    assert [cell["state"] for cell in answers["outcomes"]] == ["quarantined"]
    (cut,) = told.cuts
    assert (cut.category, cut.mode, cut.whole) == (Category.POLICE_INCIDENT, Mode.CONTENT, True)


@pytest.mark.parametrize("handling", [EXCESS * 6, f"{EXCESS}\nIt is so.", f"{EXCESS}\u202e", "", [EXCESS]])
async def test_terms_that_are_no_short_line_of_text_cost_the_whole_answer_and_are_never_shown(
    world: World, monkeypatch: pytest.MonkeyPatch, handling: object
) -> None:
    answer_unreadably(monkeypatch, lambda rows: rows, handling=handling)
    answers, told = await kept_back(world)
    assert [cell["state"] for cell in answers["outcomes"]] == ["quarantined"]
    assert [cut.whole for cut in told.cuts] == [True]


async def test_what_the_log_keeps_of_an_answer_has_no_word_that_the_agency_made_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, with_fact(**{"Jane.Example-2010": 1}))
    await answered(world)
    (entry,) = [one for one in await world.entries() if one["type"] == "release"]
    told = read_addendum(*(await sealed(world, entry)), world.folder / "desk-lead.key")
    assert told["outcomes"][0]["facts"] == 1
    assert "Jane" not in json.dumps(told)


async def test_an_agency_put_back_from_before_it_is_told_again_what_was_kept_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = await make_backup(world, "northshire")
    answer_with(monkeypatch, with_fact(summary_text=EXCESS))
    _, exchange = await answered(world)
    await world.turn(60_000)
    await lose_and_restore(world, "northshire", backup)
    for _ in range(50):
        if (await world.command("northshire", "alerts"))["alerts"]:
            break
        await world.settle()
    (again,) = (await world.command("northshire", "alerts"))["alerts"]
    assert again["exchange"] == exchange
    assert await world.check() == {exchange: "answered"}


async def test_the_sender_of_an_answer_learns_the_same_whatever_was_wrong_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, exchange = await answered(world)
    learned = {_learned(acknowledgement(world, exchange))}
    for changes, say in ((SEPARABLE, answer_with), (WHOLE, answer_with), (UNREADABLE, answer_unreadably)):
        for change in changes.values():
            with monkeypatch.context() as hostile:
                say(hostile, change)
                _, exchange = await answered(world)
            learned.add(_learned(acknowledgement(world, exchange)))
    assert len(learned) == 1
    assert learned.pop()[:2] == ("committed", ())


def _learned(said: Carried) -> tuple[str, tuple[bytes, ...], int]:
    header = said.outer.encode()
    return json.loads(header)["code"], said.parts, len(header)


async def test_nobody_but_a_lead_of_either_side_opens_what_the_entry_does_not_say(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, with_fact(summary_text=EXCESS))
    _, exchange = await answered(world)
    entry = await quarantine_of(world, exchange)
    with pytest.raises(NotAReader):
        await told_to(world, "southshire", entry)
    with pytest.raises(KeyFileInvalid):
        read_addendum(*(await sealed(world, entry)), world.folder / "officer.key")


async def test_what_was_kept_back_cannot_be_had_by_any_command_of_an_officer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, with_fact(summary_text=EXCESS))
    enquiry, exchange = await answered(world)
    decision = {"decision": "no_further_action", "reason": "Nothing more to do."}
    seen = [
        await world.tell_desk("GET", "/enquiries"),
        await world.tell_desk("POST", f"/enquiries/{enquiry}/decision", decision),
        await world.tell_desk("GET", f"/enquiries/{enquiry}/answers"),
        await world.tell_desk("POST", f"/enquiries/{enquiry}/close"),
        await world.tell_desk("GET", f"/enquiries/{enquiry}/answers"),
        await world.tell_desk("GET", f"/requests/{exchange}"),
    ]
    assert EXCESS not in json.dumps(seen)


async def test_an_agency_cannot_answer_another_agencys_request(world: World) -> None:
    """Southshire holds every byte that was sent to northshire, and its own keys: nothing opens, nothing is entered."""
    await world.stop_party("northshire")
    exchange = await world.ask(await world.open_enquiry(), "northshire")
    await world.settle()
    north = world.home("northshire").own().token
    carried = [raw for subject, raw in world.hub.captured if subject == f"to.{north}.in"]
    assert carried
    south = world.running["southshire"]
    assert isinstance(south, Agent)
    for raw in carried:
        await south.ground.post._receive(f"to.{south.ground.me.token}.in", raw)
    await world.settle()
    assert world.sources["southshire"].calls == 0
    assert [entry["type"] for entry in await world.entries() if entry["type"] == "release"] == []
    await world.start_party("northshire")
    await world.turn(2 * 60_000)
    await world.opened(exchange)
    assert await world.check() == {exchange: "answered"}
