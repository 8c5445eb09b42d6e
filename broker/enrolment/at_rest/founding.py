"""What `broker init` makes of the bus: operator and system keys, the authority, and each hub party's access to it.

The private halves of operator, system account and authority are made in admission's key store and never leave it.
Refuses to know the servers' configuration (`broker.enrolment.configuration.files`) and agencies
(`broker.enrolment.members.ceremony`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from broker.enrolment.books.to_hold import of_hub
from broker.enrolment.claims.keys import OF_THE_BUS, BusKeys, issuer_of
from broker.enrolment.claims.operator import operator_claims, system_claims
from broker.enrolment.configuration.server import BusIdentity
from broker.enrolment.tls.access import give_access
from broker.enrolment.tls.authorities import Authorities
from broker.node.home import Home
from broker.node.keystore import KeyReader
from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose

OPERATOR_ISSUED_AT: Final = 1_767_225_600_000
"""2026: what the operator's claims say of their own date, so that the same keys make the same text. Servers refuse a
reload, new certificates with it, when that text is another one; only a restart changes it."""


@dataclass(frozen=True, slots=True)
class Founded:
    """What the servers are to be configured with."""

    identity: BusIdentity
    authorities: Authorities


def found(admission: Home, hub: Sequence[Home], *, hosts: Sequence[str], addresses: Sequence[str], now: int) -> Founded:
    """Make the bus's keys and authority, and give each of the hub's parties its access.

    Args:
        hub: the homes of coordinator and desk.
        hosts: names and addresses of the servers, for which the authority may sign.
        addresses: where the hub's parties dial, a URL each.

    Raises:
        HostInvalid: one of the hosts is no name; nothing was made.
        KeyExists, KeyStoreInUse, KeyStoreUnsafe.
    """
    keys = admission.keystore()
    try:
        authorities = Authorities(admission, keys)
        authorities.create(hosts, now=now)
        for purpose in OF_THE_BUS:
            key = SigningKey.generate(purpose)
            keys.add(purpose, key.id, key.seed())
        identity = identity_of(admission, hub, keys, now=now)
        give_access(admission, keys, authorities, identity.hub_claims, addresses, now=now)
        for home in hub:
            own = home.keystore()
            try:
                give_access(home, own, authorities, identity.hub_claims, addresses, now=now)
            finally:
                own.close()
    finally:
        keys.close()
    return Founded(identity, Authorities(admission, admission.keys_to_read()))


def identity_of(admission: Home, hub: Sequence[Home], keys: KeyReader, *, now: int) -> BusIdentity:
    """The claims that a server has before anybody tells it any, made anew from admission's keys.

    Raises:
        HomeInvalid: a key is missing.
    """
    issuer, held = issuer_of(admission, keys), BusKeys(admission, keys)
    names, operator = held.operator(), held.in_use(KeyPurpose.BUS_OPERATOR)
    # A server keeps the later issued of two claims. Those of a file must never outdo what admission has told it since.
    parties = [home.own() for home in hub]
    account = of_hub(parties, admission.own(), {}, issuer, now, no_later_than=OPERATOR_ISSUED_AT)
    return BusIdentity(
        operator=operator_claims(names, operator, issued_at=OPERATOR_ISSUED_AT),
        system=nkey.of(names.system),
        system_claims=system_claims(names, issuer.signer, issued_at=now),
        hub=account.nkey,
        hub_claims=account.claims,
    )
