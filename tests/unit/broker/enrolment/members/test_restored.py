"""An admission that was restored lets nobody back in who was expelled since, and says what it lacks."""

from __future__ import annotations

import shutil

import pytest

from broker.enrolment.members.restored import NotWaiting
from broker.node.backup import back_up
from broker.node.backup_restore import restore
from broker.node.backup_standing import CatchingUp
from broker.node.post.intake import check
from broker.node.post.port import Received
from broker.node.post.writing import Writer
from broker.node.ring import Ring
from schemas.messages.party import PartyKind
from schemas.messages.transport import DirectoryQuery
from tests.unit.broker.enrolment.hall import Hall


async def restored(hall: Hall, *, is_behind: bool = True) -> None:
    """Admission is put back to the state before an agency was expelled."""
    await hall.enrol(hall.agency())
    folder = hall.folder / "backup"
    await back_up(hall.admission.ground, folder)
    if is_behind:
        await hall.command("expel", agency="northshire")
        await hall.settle()
    await hall.admission.stop()
    home = hall.home("admission")
    keys = hall.folder / "kept-keys"
    (home.path / "keys").rename(keys)
    shutil.rmtree(home.path)
    home.path.mkdir(mode=0o700)
    keys.rename(home.path / "keys")
    restore(home, folder, now=hall.clock.now(), kinds=(PartyKind.ADMISSION,), expected=None, lock_copy=None)
    await hall.start_admission()
    await hall.settle()


async def ask(hall: Hall, name: str, version: int) -> None:
    """A party of the hub says which directory it holds."""
    home, ground = hall.home(name), hall.admission.ground
    party = hall.admission.room.register.directory.parties[name]
    reader = home.keys_to_read()
    query = Writer(Ring(home, reader, hall.clock), "0" * 32).write(
        DirectoryQuery,
        ground.me,
        sent_at=hall.clock.now(),
        expires_at=hall.clock.now() + 60_000,
        version=version,
    )
    received: Received = check(
        query.subject, query.raw, me=ground.me, directory=hall.admission.room.register.directory, now=hall.clock.now()
    )
    assert received.sender.id == party.id
    assert ground.post.correspondent is not None
    await ground.post.correspondent.passing(received)
    await hall.settle()


async def test_a_restored_admission_shows_the_servers_nothing_and_admits_nobody(hall: Hall) -> None:
    await restored(hall)
    assert hall.connections_of(hall.home("northshire").own()) in (None, 0)
    with pytest.raises(CatchingUp, match="admissions or expulsions are lost"):
        await hall.command("resume", agency="northshire")
    with pytest.raises(CatchingUp):
        await hall.offer(hall.ask(hall.agency("southshire")))


async def test_an_admission_behind_the_hubs_directory_stays_as_it_is_and_says_so(hall: Hall) -> None:
    await restored(hall)
    newest = max(await hall.versions())
    await ask(hall, "coordinator", newest)
    await ask(hall, "desk", newest)
    status = await hall.command("status")
    assert status["restored"]["behind"]
    assert f"holds directory {newest} and the newest here is {newest - 1}" in status["restored"]["waits_for"]
    assert not status["restored"]["caught_up"]


async def test_an_admission_that_lacks_nothing_goes_on_once_both_parties_of_the_hub_have_said_so(hall: Hall) -> None:
    await restored(hall, is_behind=False)
    newest = max(await hall.versions())
    await ask(hall, "coordinator", newest)
    assert hall.admission.ground.catch_up.is_on
    await ask(hall, "northshire", newest + 5)  # an agency's word stops nobody
    await ask(hall, "desk", newest)
    assert not hall.admission.ground.catch_up.is_on
    assert (await hall.command("status"))["restored"]["caught_up"]


async def test_an_admission_goes_on_without_the_hub_on_a_persons_word(hall: Hall) -> None:
    await restored(hall, is_behind=False)
    await hall.command("go-on")
    await hall.settle()
    assert not hall.admission.ground.catch_up.is_on
    with pytest.raises(NotWaiting):
        await hall.command("go-on")


async def test_an_admission_that_is_behind_goes_on_upon_nobodys_word(hall: Hall) -> None:
    await restored(hall)
    await ask(hall, "desk", max(await hall.versions()))
    with pytest.raises(CatchingUp, match="restore its second copy, or a newer backup"):
        await hall.command("go-on")
    assert hall.admission.ground.catch_up.is_on
