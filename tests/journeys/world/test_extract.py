"""A data subject's own extract (R32), from the request of years ago to the page that is handed out."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from broker.cli.log import log
from broker.node.command_client import CommandClient, CommandFailed
from schemas.failures import Failure
from tests.support.world import BORN, FAMILY, GIVEN, NHS, OFFICER_NAME, REASON, World

SIBLING, SIBLING_NHS = "Barnaby", "9990000026"
WHO = {"names": [{"given": "WILHELMINA", "family": "Quillfeather"}], "birth_date": BORN}


def child(given: str = GIVEN, nhs: str | None = NHS, role: str = "index_child") -> dict[str, Any]:
    identifiers = [{"kind": "nhs_number", "value": nhs}] if nhs else []
    return {
        "role": role,
        "name": {"given": given, "family": FAMILY},
        "birth_date": BORN,
        "identifiers": identifiers,
    }


class Lead:
    """The hub's lead at a terminal, while the hub runs."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.folder = world, world.folder
        loop = asyncio.get_running_loop()

        def ask(client: CommandClient, command: str, arguments: Mapping[str, Any] | None = None) -> Any:
            running = asyncio.run_coroutine_threadsafe(world.command("coordinator", command, arguments), loop)
            try:
                return json.loads(json.dumps(running.result(30)))
            except Failure as failure:
                raise CommandFailed(failure.code, failure.detail, 400) from None

        monkeypatch.setattr(CommandClient, "ask", ask)
        self.subject = self.write("subject.json", json.dumps(WHO))
        self.draft, self.out = self.folder / "draft.toml", self.folder / "extract.txt"

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    async def run(self, *arguments: object, key: str = "desk-lead.key") -> Result:
        typed = [str(one) for one in (*arguments, "--home", self.folder, "--lead-key", self.folder / key)]
        return await asyncio.to_thread(CliRunner().invoke, log, ["extract", *typed])

    async def begin(self, *, key: str = "desk-lead.key") -> Result:
        return await self.run("begin", "--subject", self.subject, "--out", self.draft, key=key)

    async def make(self) -> Result:
        return await self.run("make", self.draft, "--out", self.out)

    def answer(self, *rows: tuple[str, str, str]) -> None:
        """Answer the exchanges of the draft in their order: harm, whom was asked, third parties."""
        head, *parts = self.draft.read_text().split("[[exchange]]")
        assert len(parts) == len(rows)
        for at, row in enumerate(rows):
            for name, answer in zip(("serious_harm", "consulted", "third_parties"), row, strict=True):
                parts[at] = parts[at].replace(f'{name} = ""', f'{name} = "{answer}"')
        self.write(self.draft.name, "[[exchange]]".join([head, *parts]))

    async def extracts(self) -> list[Any]:
        return [one["entries"] for one in await self.world.entries() if one.get("extract_by") == "ig_lead"]


@pytest.fixture
async def lead(world: World, monkeypatch: pytest.MonkeyPatch) -> Lead:
    return Lead(world, monkeypatch)


async def asked(world: World, *subjects: dict[str, Any]) -> str:
    exchange = await world.ask(await world.open_enquiry(subjects=list(subjects)))
    await world.opened(exchange)
    await world.settle()
    return exchange


def text_of(lead: Lead) -> str:
    return lead.out.read_text() + lead.out.with_name("extract.txt.json").read_text()


async def test_a_data_subject_gets_an_extract_after_both_tests_of_each_exchange(world: World, lead: Lead) -> None:
    own = await asked(world, child())
    siblings = await asked(world, child(SIBLING, SIBLING_NHS))
    both = await asked(world, child(SIBLING, SIBLING_NHS), child(role="other_child"))
    harmful = await asked(world, child())
    begun = await lead.begin()
    assert begun.exit_code == 0, begun.output
    assert "3 exchanges" in begun.output
    assert stat.S_IMODE(os.stat(lead.draft).st_mode) == 0o600
    draft = lead.draft.read_text()
    assert [siblings in draft, own in draft, both in draft, harmful in draft] == [False, True, True, True]
    lead.answer(("no", "nobody", "none"), ("no", "social-worker", "reasonable"), ("yes", "police", "none"))
    made = await lead.make()
    assert made.exit_code == 0, made.output
    handed_out = json.loads(lead.out.with_name("extract.txt.json").read_text())
    assert [one["reference"] for one in handed_out["exchanges"]] == [own, both]
    assert handed_out["exchanges"][0]["what_came_of_it"] == ["police.incident: answered, 1 record"]
    assert handed_out["exchanges"][1]["you_are_in_it_as"] == ["other child"]
    assert "Children Act 1989" in lead.out.read_text()
    for never in (SIBLING, SIBLING_NHS, OFFICER_NAME, REASON, harmful, "found_by", "others"):
        assert never not in text_of(lead)
    assert {stat.S_IMODE(path.stat().st_mode) for path in lead.folder.glob("extract.txt*")} == {0o600}
    assert await lead.extracts() == [2]
    await world.check()


async def test_no_extract_is_made_while_a_test_is_undecided(world: World, lead: Lead) -> None:
    await asked(world, child())
    await asked(world, child())
    await lead.begin()
    lead.answer(("no", "nobody", "none"), ("no", "nobody", ""))
    made = await lead.make()
    assert made.exit_code == 1
    assert "exchange 2: third_parties is undecided: none, consent, reasonable, leave-out" in made.output
    assert "[draft_undecided]" in made.output
    assert not lead.out.exists()
    assert await lead.extracts() == []


async def test_what_concerns_others_is_left_out_where_the_lead_says_so_and_nothing_tells_that(
    world: World, lead: Lead
) -> None:
    await asked(world, child())
    await lead.begin()
    lead.answer(("no", "nobody", "leave-out"))
    await lead.make()
    with_nothing = lead.out.read_text()
    lead.subject = lead.write("nobody.json", json.dumps({**WHO, "birth_date": "1961-01-01"}))
    lead.draft, lead.out = lead.folder / "second.toml", lead.folder / "second.txt"
    await lead.begin()
    lead.answer()
    await lead.make()
    assert lead.out.read_text() == with_nothing
    assert await lead.extracts() == [0, 0]


async def test_a_draft_that_the_log_has_outgrown_is_refused(world: World, lead: Lead) -> None:
    await asked(world, child())
    await lead.begin()
    lead.answer(("no", "nobody", "none"))
    await asked(world, child())
    made = await lead.make()
    assert "1 exchanges of the log are not in it" in made.output
    assert "[draft_outdated]" in made.output
    assert not lead.out.exists()


async def test_a_draft_in_which_more_than_the_answers_was_changed_is_refused(world: World, lead: Lead) -> None:
    await asked(world, child())
    await lead.begin()
    lead.answer(("no", "nobody", "none"))
    lead.write(lead.draft.name, lead.draft.read_text().replace('agency = "northshire"', f'agency = "{SIBLING}"'))
    made = await lead.make()
    assert "exchange 1: agency is not as in the log" in made.output
    assert SIBLING not in made.output
    assert await lead.extracts() == []


async def test_neither_the_officer_who_asked_nor_an_agencys_lead_gets_an_extract(world: World, lead: Lead) -> None:
    await asked(world, child())
    size = len(await world.entries())
    for key, code in (("officer.key", "key_file_invalid"), ("northshire-lead.key", "not_the_lead")):
        begun = await lead.begin(key=key)
        assert begun.exit_code == 1
        assert f"[{code}]" in begun.output
    assert not lead.draft.exists()
    assert len(await world.entries()) == size + 1  # the reading above, and none by them


async def test_somebody_of_the_same_name_and_day_with_another_number_is_named_to_the_lead_and_not_taken(
    world: World, lead: Lead
) -> None:
    await asked(world, child(nhs=SIBLING_NHS))
    lead.subject = lead.write(
        "subject.json", json.dumps({**WHO, "identifiers": [{"kind": "nhs_number", "value": "999 000 0018"}]})
    )
    begun = await lead.begin()
    assert "0 exchanges" in begun.output
    index = next(at for at, one in enumerate(await world.entries()) if one["type"] == "request")
    assert f"entries {index}" in lead.draft.read_text()


async def test_an_addendum_that_was_erased_is_said_to_be_unsearched(world: World, lead: Lead) -> None:
    await asked(world, child())
    store = world.running["coordinator"].ground.store
    await store.write(lambda tx: tx.execute("DELETE FROM addendum"))
    begun = await lead.begin()
    assert "0 exchanges" in begun.output
    assert "1 requests of the log could not be searched" in begun.output
    lead.answer()
    assert (await lead.make()).exit_code == 0
    assert "1 could not be opened" in lead.out.read_text()


async def test_nobody_is_named_in_what_the_commands_say(world: World, lead: Lead) -> None:
    await asked(world, child())
    said = [await lead.begin(), await lead.begin(), await lead.make()]
    lead.write(lead.draft.name, lead.draft.read_text() + f"\n[{GIVEN}")
    said.append(await lead.make())
    lead.subject = lead.write("bad.json", json.dumps({**WHO, FAMILY: NHS}))
    lead.draft = lead.folder / "third.toml"
    said.append(await lead.begin())
    codes = [one.output.rpartition("[")[2].strip() for one in said[1:]]
    assert codes == ["not_written]", "draft_undecided]", "draft_invalid]", "subject_invalid]"]
    for one in said:
        for never in (GIVEN, FAMILY, NHS, BORN):
            assert never.lower() not in one.output.lower()
