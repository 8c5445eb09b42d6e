"""Whether the servers that run are safe: what they say of themselves, and whose claims they hold.

A configuration file says what a server should do; this is about what it does. Each finding says what to change.
Refuses to know files (`broker.enrolment.checks.configured`), and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from broker.enrolment.checks.configured import EXPIRES_SOON_MS, Finding
from broker.enrolment.claims.check import ClaimsRefused, Trusted, check_claims
from broker.enrolment.configuration.server import BusIdentity
from broker.enrolment.servers.asking import Asking, ServerAnswer
from broker.node.bus.claims import ClaimsInvalid, decode
from broker.node.clock import DAY_MS
from broker.node.doctor.words import minute

_VARZ: Final = "$SYS.REQ.SERVER.PING.VARZ"
_LIST: Final = "$SYS.REQ.CLAIMS.LIST"
_ACCOUNTS: Final = "$SYS.REQ.SERVER.PING.ACCOUNTZ"
_LOOKUP: Final = "$SYS.REQ.ACCOUNT.{}.CLAIMS.LOOKUP"
_AWAY: Final = 16
"""More servers than there are, so that every one has the whole time to answer."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the servers are held against."""

    identity: BusIdentity
    names: Collection[str] = ()
    """The servers that were configured; none: nobody can say, and those that answer are taken for all."""
    claims: Mapping[str, str] | None = None
    """What admission decided, by account; None: nobody can say, and the servers are compared with each other."""


async def check_running(asking: Asking, wanted: Wanted, *, now: int) -> list[Finding]:
    """What is unsafe in the servers that answer on this system connection.

    Raises:
        BusAway: not connected.
    """
    # The whole time, also once as many have answered as there should be: one too many is found as well.
    told = await asking.ask(_VARZ, of=_AWAY)
    found = [finding for answer in told for finding in _of_server(answer, wanted.identity, now)]
    names = {answer.server.name for answer in told}
    for name in sorted(set(wanted.names) - names):
        found.append(Finding(f"server {name}", "it does not answer; start it, or run broker bus config without it"))
    for name in sorted(names - set(wanted.names) if wanted.names else ()):
        found.append(Finding(f"server {name}", "it is none that was configured; stop it, or run broker bus config"))
    return found + await _claims_held(asking, wanted, {answer.server.id: answer.server.name for answer in told}, now)


def _of_server(answer: ServerAnswer, identity: BusIdentity, now: int) -> Iterator[Finding]:
    where = f"server {answer.server.name}"
    told = answer.data if isinstance(answer.data, dict) else {}
    if told.get("jetstream"):
        yield Finding(where, "JetStream is enabled; take jetstream out of its configuration")
    for name, block in (("tls", told), ("cluster.tls", told.get("cluster")), ("leafnodes.tls", told.get("leaf"))):
        if block and not block.get("tls_required"):
            yield Finding(where, f"plaintext is accepted; add {name} to its configuration")
        elif block and not block.get("tls_verify"):
            yield Finding(where, f"client certificates are not required; set {name}.verify: true")
    if (told.get("websocket") or {}).get("no_tls"):
        yield Finding(where, "plaintext WebSockets are accepted; take no_tls out of websocket")
    if (told.get("http_port") or told.get("https_port")) and told.get("http_host") not in ("127.0.0.1", "::1"):
        yield Finding(where, "monitoring is open to other machines; take the http settings out")
    for name in ("mqtt", "gateway"):
        if told.get(name):
            yield Finding(where, f"{name} is on; take it out of its configuration")
    ours = decode(identity.operator)
    operators = told.get("trusted_operators_claim") or []
    if [(one.get("sub"), (one.get("nats") or {}).get("signing_keys")) for one in operators] != [
        (ours.subject, ours.body["signing_keys"])
    ]:
        yield Finding(where, "it trusts another operator than the hub's; change operator in its configuration")
    elif not operators[0]["nats"].get("strict_signing_key_usage"):
        yield Finding(where, "its operator claims let account keys issue users; run: broker bus config")
    if told.get("system_account") != identity.system:
        yield Finding(where, "its system account is not the hub's; change system_account in its configuration")
    yield from _certificate(where, told, now)


def _certificate(where: str, told: Mapping[str, Any], now: int) -> Iterator[Finding]:
    try:
        ends_at = int(datetime.fromisoformat(str(told.get("tls_cert_not_after"))).timestamp() * 1000)
    except ValueError:
        return
    if ends_at <= now + EXPIRES_SOON_MS:
        left = f"ended {minute(ends_at)}" if ends_at <= now else f"ends in {(ends_at - now) // DAY_MS} days"
        yield Finding(
            where,
            f"its certificate {left}; run: broker bus config, then reload it",
            is_grave=ends_at <= now,
        )


async def _claims_held(asking: Asking, wanted: Wanted, servers: Mapping[str, str], now: int) -> list[Finding]:
    lists = {answer.server.id: set(_strings(answer.data)) for answer in await asking.ask(_LIST, of=servers.keys())}
    known = set(wanted.claims) if wanted.claims is not None else set().union(*lists.values())
    found = []
    for identity, name in sorted(servers.items(), key=lambda each: each[1]):
        held = lists.get(identity, set()) - {wanted.identity.system}
        if missing := known - held - {wanted.identity.system}:
            found.append(
                Finding(f"server {name}", f"accounts missing: {_some(missing)}; start admission, which pushes them")
            )
        if strange := held - known - {wanted.identity.hub}:
            found.append(Finding(f"server {name}", f"accounts that admission does not know: {_some(strange)}"))
    for account in sorted(known - {wanted.identity.system}):
        found += await _account_held(asking, wanted, servers, account, now)
    return found


async def _account_held(
    asking: Asking, wanted: Wanted, servers: Mapping[str, str], account: str, now: int
) -> list[Finding]:
    texts = {
        text.decode("ascii", "replace") for text in await asking.ask_for_texts(_LOOKUP.format(account), len(servers))
    }
    texts.discard("")
    question = json.dumps({"account": account}).encode("ascii")
    answers = await asking.ask(_ACCOUNTS, question, of=servers.keys())
    used = {answer.server.name: text for answer in answers if (text := _claims_in_use(answer))}
    newest = (wanted.claims or {}).get(account) or max({*texts, *used.values()}, key=_issued_at, default="")
    found = [
        Finding(f"server {name}", f"stale: it holds older claims of account {account}; start admission, or restart it")
        for name, text in sorted(used.items())
        if text != newest
    ]
    if not found and texts - {newest}:
        found.append(Finding(f"account {account}", "a server has stored older claims of it; start admission"))
    try:
        trusted = Trusted(wanted.identity.hub, decode(wanted.identity.operator).body["signing_keys"])
        check_claims(newest, trusted, now=now)
    except (ClaimsInvalid, ClaimsRefused) as failure:
        found.append(Finding(f"account {account}", f"{failure.detail}; have admission issue its claims anew"))
    return found


def _claims_in_use(answer: ServerAnswer) -> str:
    data = answer.data if isinstance(answer.data, dict) else {}
    detail = data.get("account_detail")
    return str(detail.get("jwt", "")) if isinstance(detail, dict) else ""


def _issued_at(text: str) -> int:
    try:
        return decode(text).issued_at
    except ClaimsInvalid:
        return -1


def _strings(value: Any) -> Sequence[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _some(accounts: Collection[str]) -> str:
    shown = sorted(accounts)[:3]
    return ", ".join(shown) + (f" and {len(accounts) - len(shown)} more" if len(accounts) > len(shown) else "")
