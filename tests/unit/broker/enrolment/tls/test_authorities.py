"""A planned change of the hub's authority: nobody is cut off at any step, and a crash between two leaves either."""

from __future__ import annotations

import pytest
from cryptography import x509

from broker.enrolment.tls.authorities import AuthorityInUse, AuthorityMissing
from tests.unit.broker.enrolment.hall import Hall

HOSTS = ["bus.hub.example"]


async def test_the_next_authority_is_trusted_before_it_signs_and_the_old_one_after(hall: Hall) -> None:
    authorities = hall.admission.room.authorities
    (old,) = authorities.names()
    authorities.create(HOSTS, now=hall.clock.now())
    (new,) = set(authorities.names()) - {old}
    assert authorities.names()[0] == old
    assert len(x509.load_pem_x509_certificates(authorities.trusted())) == 2
    authorities.sign_with(new)
    assert authorities.names() == [new, old]
    assert authorities.issuing().pem == authorities.pem(new)
    authorities.retire(old)
    assert authorities.names() == [new]
    assert authorities.trusted() == authorities.issuing().pem


async def test_an_agency_admitted_in_between_trusts_both(hall: Hall) -> None:
    authorities = hall.admission.room.authorities
    authorities.create(HOSTS, now=hall.clock.now())
    home = hall.agency()
    await hall.enrol(home)
    assert len(x509.load_pem_x509_certificates((home.path / "bus" / "ca.pem").read_bytes())) == 2


async def test_the_authority_that_signs_is_not_retired_and_one_that_is_not_there_is_not_used(hall: Hall) -> None:
    authorities = hall.admission.room.authorities
    (only,) = authorities.names()
    with pytest.raises(AuthorityInUse):
        authorities.retire(only)
    for act in (authorities.sign_with, authorities.retire):
        with pytest.raises(AuthorityMissing):
            act("ffffffffffffffff")


async def test_more_authorities_than_a_chain_has_room_for_are_not_made(hall: Hall) -> None:
    authorities = hall.admission.room.authorities
    authorities.create(HOSTS, now=hall.clock.now())
    authorities.create(HOSTS, now=hall.clock.now())
    with pytest.raises(AuthorityInUse):
        authorities.create(HOSTS, now=hall.clock.now())
    assert len((await hall.command("authorities"))["authorities"]) == 3
