"""What every server of the bus is to hold, as it follows from who is admitted: statement and state in, claims out.

Owns which of a party's accounts live, rest or are gone. Refuses to know what claims look like
(`broker.enrolment.claims.accounts`) and how they reach a server (`broker.enrolment.servers.resolver`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from broker.enrolment.books.records import Account, MemberState, Standing
from broker.enrolment.claims.accounts import (
    ACCOUNT_LIFE_MS,
    AgencyAccount,
    HubAccount,
    agency_claims,
    expelled_claims,
    hub_claims,
    suspended_claims,
)
from broker.enrolment.claims.keys import Issuer
from broker.node.clock import DAY_MS
from schemas.crypto import nkey
from schemas.crypto.keys import PublicKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import Party

RENEW_BEFORE_MS: Final = 80 * DAY_MS
"""Claims are made anew so long before they end: parties ask for theirs ten days later, and nobody is warned of them."""
_SECOND_MS: Final = 1000
_STANDING: Final = {
    MemberState.ADMITTED: Standing.LIVE,
    MemberState.SUSPENDED: Standing.SUSPENDED,
    MemberState.EXPELLED: Standing.GONE,
}


def of_agency(
    party: Party,
    state: MemberState,
    held: Mapping[str, Account],
    issuer: Issuer,
    now: int,
    *,
    may_run_leaf: bool = False,
) -> list[Account]:
    """The accounts of an agency, each with new claims: those it states, and then those it stated before."""
    standing = _STANDING[state]
    made = []
    live = {nkey.of(key): key for key in _keys(party, KeyPurpose.BUS_ACCOUNT)}
    for name, key in live.items():
        before = held.get(name)
        account = AgencyAccount(
            key,
            _keys(party, KeyPurpose.BUS_SIGNER),
            may_run_leaf=may_run_leaf,
            revoked_users=_revoked(party, KeyPurpose.BUS_USER),
        )
        issued_at, expires_at = _times(before, now)
        if standing is Standing.GONE:
            claims = expelled_claims(key, issuer.signer, issued_at=issued_at, expires_at=expires_at)
        else:
            sign = agency_claims if standing is Standing.LIVE else suspended_claims
            claims = sign(account, issuer.hub, issuer.signer, issued_at=issued_at, expires_at=expires_at)
        made.append(Account(name, party.id, standing, claims, issued_at, expires_at))
    made += [
        gone(before, issuer, now)
        for before in held.values()
        if before.party == party.id and before.nkey not in live and before.standing is not Standing.GONE
    ]
    return made


def of_hub(
    hub: Iterable[Party],
    admission: Party,
    held: Mapping[str, Account],
    issuer: Issuer,
    now: int,
    *,
    no_later_than: int | None = None,
) -> Account:
    """The hub's account: the signing keys of its three parties, by their newest statements.

    `no_later_than` is when the claims are issued at the latest: servers keep later ones.
    """
    parties = {party.statement.party_kind: party for party in (*hub, admission)}
    account = next(key for key in _keys(admission, KeyPurpose.BUS_ACCOUNT) if nkey.of(key) == issuer.hub)
    signers = {kind: _keys(party, KeyPurpose.BUS_SIGNER) for kind, party in parties.items()}
    revoked = [key for party in parties.values() for key in _revoked(party, KeyPurpose.BUS_USER)]
    issued_at, expires_at = _times(held.get(issuer.hub), now)
    if no_later_than is not None:
        issued_at = min(issued_at, no_later_than)
    claims = hub_claims(
        HubAccount(account, signers, revoked), issuer.signer, issued_at=issued_at, expires_at=expires_at
    )
    return Account(issuer.hub, admission.id, Standing.LIVE, claims, issued_at, expires_at)


def gone(before: Account, issuer: Issuer, now: int) -> Account:
    """An account that lets nobody in any more, for as long as any claims it ever had."""
    key = nkey.read(KeyPurpose.BUS_ACCOUNT, before.nkey)
    issued_at, expires_at = _times(before, now)
    claims = expelled_claims(key, issuer.signer, issued_at=issued_at, expires_at=expires_at)
    return Account(before.nkey, before.party, Standing.GONE, claims, issued_at, expires_at)


def _times(before: Account | None, now: int) -> tuple[int, int]:
    # Servers keep the later issued of two claims, and count in whole seconds.
    issued_at = now - now % _SECOND_MS
    if before is None:
        return issued_at, now + ACCOUNT_LIFE_MS
    return max(issued_at, before.issued_at + _SECOND_MS), max(now + ACCOUNT_LIFE_MS, before.expires_at)


def _keys(party: Party, purpose: KeyPurpose) -> Sequence[PublicKey]:
    found = [one for one in party.keys if one.key.purpose is purpose and one.revoked_at is None]
    return [one.key for one in sorted(found, key=lambda one: (one.not_before, one.epoch), reverse=True)]


def _revoked(party: Party, purpose: KeyPurpose) -> Sequence[PublicKey]:
    return [one.key for one in party.keys if one.key.purpose is purpose and one.revoked_at is not None]
