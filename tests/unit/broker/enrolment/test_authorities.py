"""A planned change of the hub's authority: nobody is cut off at any step, and a crash between two leaves either."""

from __future__ import annotations

import pytest
from cryptography import x509

from broker.enrolment.authorities import AuthorityInUse, AuthorityMissing
from tests.unit.broker.enrolment.hall import Hall


async def test_the_next_authority_is_trusted_before_it_signs_and_the_old_one_after(hall: Hall) -> None:
    authorities = hall.admission.room.authorities
    (old,) = authorities.names()
    await hall.command("authority-add")
    (new,) = set(authorities.names()) - {old}
    assert authorities.names()[0] == old
    assert len(x509.load_pem_x509_certificates(authorities.trusted())) == 2
    await hall.command("authority-use", name=new)
    assert authorities.names() == [new, old]
    assert authorities.issuing().pem == authorities.pem(new)
    await hall.command("authority-retire", name=old)
    assert authorities.names() == [new]
    assert authorities.trusted() == authorities.issuing().pem


async def test_an_agency_admitted_in_between_trusts_both(hall: Hall) -> None:
    await hall.command("authority-add")
    home = hall.agency()
    await hall.enrol(home)
    assert len(x509.load_pem_x509_certificates((home.path / "bus" / "ca.pem").read_bytes())) == 2


async def test_the_authority_that_signs_is_not_retired_and_one_that_is_not_there_is_not_used(hall: Hall) -> None:
    authorities = hall.admission.room.authorities
    (only,) = authorities.names()
    with pytest.raises(AuthorityInUse):
        await hall.command("authority-retire", name=only)
    for command in ("authority-use", "authority-retire"):
        with pytest.raises(AuthorityMissing):
            await hall.command(command, name="ffffffffffffffff")


async def test_more_authorities_than_a_chain_has_room_for_are_not_made(hall: Hall) -> None:
    await hall.command("authority-add")
    await hall.command("authority-add")
    with pytest.raises(AuthorityInUse):
        await hall.command("authority-add")
    assert len((await hall.command("authorities"))["authorities"]) == 3
