"""A decision as what leaves the coordinator: the grant it signs, the ruling it tells the desk, the leaf of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from broker.coordinator.acting import BrokenGlass, LeafOf
from broker.coordinator.decide import Decision, Permit
from broker.coordinator.events import Permitted, Refused
from broker.coordinator.exchange import Exchange
from broker.coordinator.reviews import TwoPeople
from broker.coordinator.room import Room
from broker.coordinator.submission import CheckedSubmission
from broker.policy.pack import Pack
from schemas.envelope import digest, signed
from schemas.messages.entry import BreakGlassEntry, RefusalEntry, RequestEntry
from schemas.messages.entry import nonce as draw
from schemas.messages.glass import GlassTerms
from schemas.messages.grant import Grant, Ruling

MAX_SENTENCES: Final = 64
SENTENCE_CHARACTERS: Final = 200
"""As much as a line of text holds. A pack's rule may say more; its page has all of it."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """Everything a decision comes to, before it is committed."""

    exchange: Exchange
    event: Permitted | Refused
    ruling: bytes
    grant_envelope: bytes
    leaf: LeafOf
    broken: BrokenGlass | None
    """Of a permit for which a manager broke the glass."""


def rule(room: Room, checked: CheckedSubmission, decision: Decision, policy: Pack, *, now: int, nonce: str) -> Ruled:
    """Put a decision by a policy into its forms. `nonce` is sixteen random bytes for the leaf."""
    asked = checked.header.value
    exchange = Exchange(
        id=asked.exchange,
        enquiry=asked.enquiry,
        agency=asked.agency,
        rag=asked.rag,
        request_digest=checked.request_digest,
        asked_at=asked.asked_at,
        deadline_at=asked.deadline_at,
        expires_at=asked.expires_at,
    )
    grant_envelope, grant_digest = _grant(room, checked, decision, policy.digest, now)
    broken = _broken(room, checked, decision, grant_digest, policy.glass, now)
    event = Permitted(grant_digest, broken is not None) if isinstance(decision, Permit) else Refused()
    ruling = Ruling(
        hub=room.hub,
        agency=asked.agency,
        exchange=asked.exchange,
        request_digest=checked.request_digest,
        policy_digest=policy.digest,
        permitted=isinstance(decision, Permit),
        reasons=list(decision.reasons),
        sentences=_sentences(policy, decision),
    ).encode()
    leaf = _leaf(room, checked, decision, grant_digest or policy.digest, now, nonce)
    return Ruled(exchange, event, ruling, grant_envelope, leaf, broken)


def _sentences(policy: Pack, decision: Decision) -> dict[str, str]:
    """What the rules among the reasons say: to whoever asked, who is told no more than that."""
    rules = sorted({reason.rule for reason in decision.reasons})[:MAX_SENTENCES]
    said = {rule: " ".join(policy.sentence(rule).split()) for rule in rules}
    lines = {rule: "".join(filter(str.isprintable, text))[:SENTENCE_CHARACTERS] for rule, text in said.items()}
    return {rule: line for rule, line in lines.items() if line}


def _grant(
    room: Room, checked: CheckedSubmission, decision: Decision, policy_digest: str, now: int
) -> tuple[bytes, str]:
    if not isinstance(decision, Permit):
        return b"", ""
    asked, key = checked.header.value, room.grant_key
    header = Grant(
        hub=room.hub,
        agency=asked.agency,
        exchange=asked.exchange,
        grant_key=key.id,
        request_digest=checked.request_digest,
        policy_digest=policy_digest,
        rules=list(decision.rules),
        scope=list(decision.scope),
        lifted=list(decision.lifted) or None,
        not_before=now,
        expires_at=asked.expires_at if asked.break_glass is None else min(asked.expires_at, asked.break_glass.until),
    ).encode()
    return signed(header, [key]), digest(header)


def _broken(
    room: Room, checked: CheckedSubmission, decision: Decision, grant_digest: str, glass: GlassTerms | None, now: int
) -> BrokenGlass | None:
    asked, broken = checked.header.value, checked.header.value.break_glass
    if broken is None or not isinstance(decision, Permit):
        return None
    assert glass is not None  # where none is agreed, none is permitted
    said: dict[str, Any] = {
        "log": room.log.origin,
        "hub": room.hub,
        "t": now,
        "n": draw(),
        "agency": asked.agency,
        "exchange": asked.exchange,
        "request_digest": checked.request_digest,
        "grant_digest": grant_digest,
        "addendum_digest": asked.addendum_digest,
        "until": broken.until,
        "lifted": list(decision.lifted),
        "manager_key": broken.manager_key,
        "manager_sig": checked.manager_signature.hex(),
    }
    leaf: LeafOf = lambda seq: BreakGlassEntry(**said, seq=seq).encode()  # noqa: E731 - as the other leaves
    return BrokenGlass(leaf, TwoPeople(asked.officer, broken.manager), glass.review_within_ms)


def _leaf(room: Room, checked: CheckedSubmission, decision: Decision, rests_on: str, now: int, nonce: str) -> LeafOf:
    """The leaf; `rests_on` is the digest of the grant, or of the policy that refused."""
    asked = checked.header.value
    said: dict[str, Any] = {
        "log": room.log.origin,
        "hub": room.hub,
        "t": now,
        "n": nonce,
        "agency": asked.agency,
        "exchange": asked.exchange,
        "request_digest": checked.request_digest,
        "addendum_digest": asked.addendum_digest,
        "desk_key": asked.desk_key,
        "desk_sig": checked.desk_signature.hex(),
    }
    if isinstance(decision, Permit):
        times: dict[str, Any] = {"deadline_at": asked.deadline_at, "expires_at": asked.expires_at}
        return lambda seq: RequestEntry(**said, **times, grant_digest=rests_on, seq=seq).encode()
    rules = list(decision.rules)
    return lambda seq: RefusalEntry(**said, rules=rules, policy_digest=rests_on, seq=seq).encode()
