"""Whether claims of an account may be shown to a server, which stores whatever the system account pushes to it.

A server answers 200 to an import that it will not honour, to another account's token, to claims of yesterday and to
claims that nobody trusted signed. So everything is looked at here first: claims hold if they say exactly what
`broker.enrolment.claims.accounts` makes for that account, and nothing else. Refuses to know how claims are pushed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from broker.enrolment.claims.accounts import AgencyAccount, HubAccount, agency_body, expelled_body, hub_body
from broker.node.bus.claims import Claims, ClaimsKind, decode
from schemas.crypto import nkey
from schemas.crypto.failures import KeyMalformed
from schemas.crypto.keys import PublicKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from schemas.messages.party import PartyKind

_SIGNERS_AT_MOST: Final = 64


class ClaimsRefused(Rejected):
    """Claims of an account that may not be shown to any server; the text says what they would have done."""

    code = "bus_claims_refused"


@dataclass(frozen=True, slots=True)
class Trusted:
    """What claims are held against."""

    hub: str
    """The nkey of the hub's account."""
    issuers: Collection[str]
    """The nkeys of the operator's signing keys."""
    signers: Mapping[str, str] = field(default_factory=dict)
    """The signing keys in use: nkey of the key, nkey of its account."""


def check_claims(text: str, trusted: Trusted, *, now: int) -> Claims:
    """The claims, if they may be pushed.

    Raises:
        ClaimsInvalid: no claims, or not signed by whom they name.
        ClaimsRefused: they say more, or something else, than the account may.
    """
    claims = decode(text)
    if claims.kind is not ClaimsKind.ACCOUNT:
        raise ClaimsRefused("these claims are not an account's")
    if claims.issuer not in trusted.issuers:
        raise ClaimsRefused("not issued by this bus's operator; servers would store them and honour nothing")
    if claims.expires_at is None or claims.expires_at <= now:
        raise ClaimsRefused("expired, or without an expiry")
    for signer in _signers(claims.body):
        if trusted.signers.get(signer, claims.subject) != claims.subject or signer == claims.subject:
            raise ClaimsRefused("a signing key that another account uses, or that is the account itself")
    body = dict(claims.body)
    try:
        if claims.subject == trusted.hub:
            _check_hub(claims, body)
        elif body != expelled_body():
            _check_agency(claims, body, trusted)
    except (AttributeError, TypeError):
        raise ClaimsRefused("members of another type than claims have") from None
    return claims


def _check_hub(claims: Claims, body: dict[str, Any]) -> None:
    for export in body.get("exports", ()):
        if export.get("account_token_position") != 2:
            raise ClaimsRefused("an export without its token position: every agency could read and forge as any other")
    scopes = body.get("signing_keys", [])
    by_kind = {
        kind: [_signer(scope) for scope in scopes if scope.get("role") == kind.value]
        for kind in (PartyKind.DESK, PartyKind.COORDINATOR, PartyKind.ADMISSION)
    }
    whole = hub_body(HubAccount(_account(claims.subject), by_kind, _revoked(body)))
    _require_same(body, whole)


def _check_agency(claims: Claims, body: dict[str, Any], trusted: Trusted) -> None:
    for each in body.get("imports", ()):
        token = each.get("subject", "").split(".")[1:2]
        if token in (["*"], [">"], []):
            raise ClaimsRefused("an import without its token position: it would be every agency's")
        if token != [claims.subject]:
            raise ClaimsRefused("an import of another account's token")
    limits = body.get("limits", {})
    plan = AgencyAccount(
        _account(claims.subject),
        [_signer(scope) for scope in body.get("signing_keys", [])],
        may_run_leaf="LEAFNODE" in _connection_types(body),
        revoked_users=_revoked(body),
    )
    whole = agency_body(plan, trusted.hub)
    if limits.get("conn") == 0:  # suspended
        whole["limits"] = {**whole["limits"], "conn": 0, "leaf": 0}
    _require_same(body, whole)


def _require_same(body: Mapping[str, Any], whole: Mapping[str, Any]) -> None:
    for name in sorted({*body, *whole}):
        if body.get(name) != whole.get(name):
            raise ClaimsRefused(f"{name} is not what this account's claims say")


def _signers(body: Mapping[str, Any]) -> list[str]:
    scopes = body.get("signing_keys", [])
    if not isinstance(scopes, list) or len(scopes) > _SIGNERS_AT_MOST:
        raise ClaimsRefused("signing keys that are no list, or too many")
    if not all(isinstance(scope, dict) for scope in scopes):
        raise ClaimsRefused("a signing key without a template: its users could do anything in their account")
    return [str(scope.get("key")) for scope in scopes]


def _signer(scope: Mapping[str, Any]) -> PublicKey:
    return _key(KeyPurpose.BUS_SIGNER, scope.get("key"))


def _account(name: str) -> PublicKey:
    return _key(KeyPurpose.BUS_ACCOUNT, name)


def _revoked(body: Mapping[str, Any]) -> list[PublicKey]:
    revocations = body.get("revocations", {})
    return [_key(KeyPurpose.BUS_USER, user) for user in (revocations if isinstance(revocations, dict) else ())]


def _key(purpose: KeyPurpose, text: object) -> PublicKey:
    try:
        return nkey.read(purpose, str(text))
    except KeyMalformed:
        raise ClaimsRefused(f"a {purpose} key that is none") from None


def _connection_types(body: Mapping[str, Any]) -> list[Any]:
    scopes = body.get("signing_keys", [])
    return [one for scope in scopes for one in scope.get("template", {}).get("allowed_connection_types", [])]
