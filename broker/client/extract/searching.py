"""The exchanges of the sharing log in which a person is a subject, found with the lead's key on the lead's machine.

The coordinator gives out entries, sealed addenda and codes, as ever; it is never told who is looked for. Of what an
addendum says only this leaves here: what was asked, when, of whom, on which basis, what came of it, and how many
others were named. Neither the reason in words, nor anybody's name. Decides nothing about an extract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from broker.client.extract.person import Person, how_it_is, is_contradicted
from broker.client.extract.reading import Ask, addenda, log_pages, told_to
from broker.node.keyfile import read_key_file
from broker.policy.question import Asked
from schemas.crypto.keys import Identity
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure
from schemas.messages.answer import ReleaseTold
from schemas.messages.party import Directory, PartyKind
from schemas.messages.request import RequestTold

ASKED: Final = ("request", "refusal")
ENDED: Final = {
    "refusal": "refused by the hub: nothing was asked",
    "release": "answered",
    "could-not-look": "answered: the agency could not look",
    "expired": "not answered in time",
    "withdrawn": "taken back by the hub",
}
STILL_OPEN: Final = "not ended yet"


class NotTheLead(Failure):
    """None of the keys is that of the hub's information-governance lead."""

    code = "not_the_lead"


@dataclass(frozen=True, slots=True)
class Shared:
    """One exchange about the person. All of it stands in the draft; the page says which of it is handed out."""

    exchange: str
    entry: int
    asked_at: int
    agency: str
    found_by: str
    others: int
    about_as: tuple[str, ...]
    stage: str
    purpose: str
    bases: tuple[str, ...]
    asked: tuple[str, ...]
    ended: str
    outcomes: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass
class Search:
    """What was found, and what could not be looked at."""

    hub: str
    entries: int = 0
    found: list[Shared] = field(default_factory=list)
    contradicted: list[int] = field(default_factory=list)
    """Entries in which name and date of birth are equal and an identifier is another."""
    erased: int = 0
    unopened: int = 0
    """Sealed to a key that was not given, or broken."""

    @property
    def unread(self) -> int:
        """Requests of the log that nobody could look at."""
        return self.erased + self.unopened


def lead_keys(paths: Sequence[Path], directory: Directory) -> list[Identity]:
    """The lead's keys; with the one that the hub states now there may be earlier ones.

    Raises:
        KeyFileInvalid: a file holds no lead's key, as an officer's does not.
        NotTheLead: the hub's own is not among them; an agency's lead makes no extract of the hub's log.
    """
    keys = [read_key_file(path).identity(KeyPurpose.ADDENDUM) for path in paths]
    stated = {
        statement.key.id
        for party in directory.parties.values()
        for statement in party.keys
        if party.statement.party_kind is PartyKind.DESK and statement.key.purpose is KeyPurpose.ADDENDUM
    }
    if not stated & {key.public.id for key in keys}:
        raise NotTheLead("that is not the key of this hub's information-governance lead (made by init: ig-lead.key)")
    return keys


def search(ask: Ask, keys: Sequence[Identity], person: Person, hub: str) -> Search:
    """Read the whole log, which becomes entries of it, and find the exchanges about that person, oldest first.

    What is held at a time is a page of the log and what was found: a log of any length is searched.
    """
    searching = Search(hub)
    searching.entries = ask("checkpoint", {})["size"]
    found: dict[str, _Found] = {}
    for page in log_pages(ask, searching.entries, {*ASKED, *ENDED}):
        asked = [one for one in page if one["entry"]["type"] in ASKED]
        for one, raw in zip(asked, addenda(ask, [one["entry"]["addendum_digest"] for one in asked]), strict=True):
            told = _request_told(raw, one["entry"], keys, searching)
            if told is None:
                continue
            subjects = {subject.ref: how_it_is(person, subject) for subject in told.told.subjects}
            if any(subjects.values()):
                found[told.exchange] = _Found(one, told, subjects)
            elif any(is_contradicted(person, subject) for subject in told.told.subjects):
                searching.contradicted.append(one["index"])
        for one in page:  # what ends an exchange stands after what began it
            if one["entry"]["type"] in ENDED and one["entry"]["exchange"] in found:
                found[one["entry"]["exchange"]].end = one["entry"]
    searching.found += [_shared(ask, keys, one) for one in found.values()]
    return searching


@dataclass
class _Found:
    """A request about the person, and what ended it."""

    shown: Mapping[str, Any]
    told: RequestTold
    subjects: Mapping[str, str | None]
    end: Mapping[str, Any] | None = None


def _request_told(
    raw: bytes | None, entry: Mapping[str, Any], keys: Sequence[Identity], searching: Search
) -> RequestTold | None:
    """What a request's addendum says; what cannot be read is counted."""
    if raw is None:
        searching.erased += 1
        return None
    told = told_to(keys, raw, entry["addendum_digest"], RequestTold)
    if told is None or told.exchange != entry["exchange"]:
        searching.unopened += 1
        return None
    return told


def _shared(ask: Ask, keys: Sequence[Identity], found: _Found) -> Shared:
    shown, told, subjects, end = found.shown, found.told, found.subjects, found.end
    entry = shown["entry"]
    asked = _asked(ask, entry["exchange"])
    refs = [ref for ref, how in subjects.items() if how]
    released = None
    if end is not None and end["type"] in ("release", "could-not-look"):
        (raw,) = addenda(ask, [end["addendum_digest"]])
        released = None if raw is None else told_to(keys, raw, end["addendum_digest"], ReleaseTold)
    rows = [row for row in released.outcomes if row.subject in refs] if released else []
    return Shared(
        exchange=entry["exchange"],
        entry=shown["index"],
        asked_at=entry["t"],
        agency=entry["agency"],
        found_by=" / ".join(sorted({how for how in subjects.values() if how})),
        others=len(subjects) - len(refs),
        about_as=tuple(sorted({str(one.role) for one in told.told.subjects if one.ref in refs})),
        stage=str(told.told.stage),
        purpose=str(asked.purpose) if asked else "",
        bases=tuple(str(one) for one in asked.bases) if asked else (),
        asked=tuple(f"{one.category} ({one.mode})" for one in asked.categories) if asked else (),
        ended=ENDED[end["type"]] if end else STILL_OPEN,
        outcomes=tuple(f"{row.category}: {row.outcome}{_counted(row.facts)}" for row in rows),
        reasons=tuple(f"{row.category}: {row.reason}" for row in rows if row.reason),
    )


def _counted(facts: int) -> str:
    return f", {facts} record{'s' if facts > 1 else ''}" if facts else ""


def _asked(ask: Ask, exchange: str) -> Asked | None:
    """The codes of a request; they are not kept of every old one."""
    try:
        kept = ask("question", {"exchange": exchange})["asked"]
    except Failure as failure:
        if "exchange_unknown" not in (failure.code, getattr(failure, "reported", "")):
            raise
        return None
    return Asked.model_validate(kept, strict=False)
