"""What each account of the bus may do, as claims that the servers enforce (DESIGN section 8).

Owns the hub's exports, an agency's imports, its limits, and a permission template for each kind of party. Refuses to
know who is admitted, and how claims reach a server: `broker.enrolment.servers.resolver`.

An agency issues its own users' claims, but cannot widen anything by it: its signing keys are scoped, so its users have
the template's permissions and no others; and the account's claims, which hold the template, only the operator signs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from broker.node.bus.claims import Claims, ClaimsKind, encode
from broker.node.bus.embedded import SERVER_MAX_PAYLOAD_BYTES
from broker.node.clock import DAY_MS
from schemas.crypto import nkey
from schemas.crypto.keys import PublicKey, SigningKey
from schemas.messages.party import PartyKind
from schemas.subjects import HUB_ADMISSION, HUB_COORDINATOR, HUB_DESK, ROUTES, TOKEN

ACCOUNT_LIFE_MS: Final = 400 * DAY_MS
"""As long as an agency's signing keys live; admission renews the claims well before."""
AGENCY_CONNECTIONS: Final = 4
"""One, a second while it renews, and both again while a server has not yet noticed that the first two are gone."""
HUB_CONNECTIONS: Final = 12
"""The same for three parties."""
SUBSCRIPTIONS: Final = 20
"""Of one connection; it needs its subject, at the hub two, and an inbox."""
REVOKED_FOR_EVER_S: Final = 4_102_444_800
"""The year 2100: a user revoked as of now could be issued anew tomorrow by whoever holds the signing key."""

EXPORTS: Final[tuple[Mapping[str, Any], ...]] = (
    {"name": "to", "subject": "to.*.>", "type": "stream", "account_token_position": 2},
    {"name": "from", "subject": "from.*.>", "type": "service", "account_token_position": 2},
)
"""Fixed for ever, whatever the number of agencies. The token position has the server itself refuse an import of another
account's token, even in claims that the operator signed by mistake."""

_UNLIMITED: Final = -1
_OWN_INBOX: Final = "_INBOX.{{subject()}}.>"
"""`claims.inbox_of` the user who connects: the server fills in the user's nkey."""
_HEARD_AT: Final = {
    PartyKind.DESK: HUB_DESK,
    PartyKind.COORDINATOR: HUB_COORDINATOR,
    PartyKind.ADMISSION: HUB_ADMISSION,
}
HUB_PARTIES: Final = tuple(_HEARD_AT)


@dataclass(frozen=True, slots=True)
class AgencyAccount:
    """An agency's account: what of its claims is not the same for every agency."""

    account: PublicKey
    signers: Sequence[PublicKey]
    """The keys under which it issues its own users' claims: two during a rotation."""
    may_run_leaf: bool = False
    """Whether it may connect a NATS server of its own, one, as a leaf node."""
    revoked_users: Sequence[PublicKey] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class HubAccount:
    """The hub's account: the signing keys of its three parties."""

    account: PublicKey
    signers: Mapping[PartyKind, Sequence[PublicKey]]
    revoked_users: Sequence[PublicKey] = field(default_factory=tuple)


def hub_claims(hub: HubAccount, issuer: SigningKey, *, issued_at: int, expires_at: int) -> str:
    """The claims of the hub's account, signed by the operator's signing key."""
    return _signed(hub.account, hub_body(hub), issuer, issued_at, expires_at)


def agency_claims(agency: AgencyAccount, hub: str, issuer: SigningKey, *, issued_at: int, expires_at: int) -> str:
    """The claims of an agency's account, signed by the operator's signing key; `hub` is the nkey of the hub's account.

    Servers keep the later issued of two claims, in whole seconds: `issued_at` has to be a second after the last one's.
    """
    return _signed(agency.account, agency_body(agency, hub), issuer, issued_at, expires_at)


def suspended_claims(agency: AgencyAccount, hub: str, issuer: SigningKey, *, issued_at: int, expires_at: int) -> str:
    """The same claims for no connection at all: every server cuts those that there are and lets none in."""
    body = agency_body(agency, hub)
    body["limits"] = {**body["limits"], "conn": 0, "leaf": 0}
    return _signed(agency.account, body, issuer, issued_at, expires_at)


def expelled_claims(account: PublicKey, issuer: SigningKey, *, issued_at: int, expires_at: int) -> str:
    """What is left of an account: no connection, no import, no signing key.

    It stays on the servers until `expires_at`, which has to be no earlier than that of any claims the account ever had.
    Deleting them instead would not last: a server that was away then still has the old ones, and the others take them
    from it as soon as it is back.
    """
    return _signed(account, expelled_body(), issuer, issued_at, expires_at)


def hub_body(hub: HubAccount) -> dict[str, Any]:
    """What the claims of the hub's account say."""
    scopes = [_scope(kind, key, "*") for kind in HUB_PARTIES for key in hub.signers.get(kind, ())]
    return {
        "exports": [dict(export) for export in EXPORTS],
        "limits": _limits(HUB_CONNECTIONS, leaf=0, imports=0, exports=len(EXPORTS)),
        "signing_keys": scopes,
        **_revocations(hub.revoked_users),
    }


def agency_body(agency: AgencyAccount, hub: str) -> dict[str, Any]:
    """What the claims of an agency's account say."""
    token = nkey.of(agency.account)
    imports = [
        {"name": "to", "subject": f"to.{token}.>", "account": hub, "type": "stream"},
        {"name": "from", "subject": f"from.{token}.>", "account": hub, "type": "service"},
    ]
    leaf = 1 if agency.may_run_leaf else 0
    return {
        "imports": imports,
        "limits": _limits(AGENCY_CONNECTIONS, leaf=leaf, imports=len(imports), exports=0),
        "signing_keys": [_scope(PartyKind.AGENT, key, token, may_run_leaf=bool(leaf)) for key in agency.signers],
        **_revocations(agency.revoked_users),
    }


def expelled_body() -> dict[str, Any]:
    """What the claims of an expelled account say."""
    return {"limits": _limits(0, leaf=0, imports=0, exports=0)}


def template(kind: PartyKind, token: str, *, may_run_leaf: bool = False) -> dict[str, Any]:
    """What a user of that kind of party may do: exactly the routes of `schemas.subjects`, and hear its own inbox.

    `token` is the agent's, or `*` for a party of the hub.
    """
    speaks_on = {route.subject.replace(TOKEN, token) for (sender, _), route in ROUTES.items() if sender is kind}
    if kind is PartyKind.AGENT:
        hears = {f"to.{token}.>"}
    else:
        hears = {_HEARD_AT[kind], ROUTES[PartyKind.AGENT, kind].subject.replace(TOKEN, token)}
    connections = ["STANDARD", "WEBSOCKET"] + ["LEAFNODE"] * may_run_leaf
    return scoped_permissions(sorted(speaks_on), sorted(hears), connections)


def scoped_permissions(publish: Sequence[str], subscribe: Sequence[str], connections: Sequence[str]) -> dict[str, Any]:
    """A template: what is not in it is refused. Without the three limits a user could do nothing at all."""
    return {
        "allowed_connection_types": list(connections),
        "data": _UNLIMITED,
        "payload": SERVER_MAX_PAYLOAD_BYTES,
        "pub": {"allow": list(publish)},
        "sub": {"allow": [*subscribe, _OWN_INBOX]},
        "subs": SUBSCRIPTIONS,
    }


def scope(role: str, key: PublicKey, permissions: Mapping[str, Any]) -> dict[str, Any]:
    """A signing key whose users have these permissions and no others."""
    return {"kind": "user_scope", "key": nkey.of(key), "role": role, "template": dict(permissions)}


def _scope(kind: PartyKind, key: PublicKey, token: str, *, may_run_leaf: bool = False) -> dict[str, Any]:
    return scope(kind.value, key, template(kind, token, may_run_leaf=may_run_leaf))


def _limits(connections: int, *, leaf: int, imports: int, exports: int) -> dict[str, Any]:
    # No limit of JetStream is named, and so the account has none of it.
    return {
        "conn": connections,
        "data": _UNLIMITED,
        "disallow_bearer": True,
        "exports": exports,
        "imports": imports,
        "leaf": leaf,
        "payload": SERVER_MAX_PAYLOAD_BYTES,
        "subs": SUBSCRIPTIONS,
        "wildcards": True,
    }


def _revocations(users: Sequence[PublicKey]) -> dict[str, Any]:
    return {"revocations": {nkey.of(user): REVOKED_FOR_EVER_S for user in users}} if users else {}


def _signed(account: PublicKey, body: Mapping[str, Any], issuer: SigningKey, issued_at: int, expires_at: int) -> str:
    return encode(
        Claims(ClaimsKind.ACCOUNT, nkey.of(account), nkey.of(issuer.public), issued_at, expires_at, body), issuer
    )
