"""Looking: who is meant, what protects them, what is held. Asks the source and keeps what it said; decides nothing.

Who is meant is settled for everybody in the request before any category is decided, since what protects one protects
the household. The same questions are asked whatever the rules will say, so that the time an answer takes tells nothing,
and of somebody unknown as of anybody (`source.NOBODY`): that a part of the system is away shows whoever is asked about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Final, TypeVar

from agents.runtime.gatekeeping.gatekeeper import Gatekeeper, Question
from agents.runtime.gatekeeping.minimise import names_of_others, scope_for
from agents.runtime.gatekeeping.outcomes import (
    Decided,
    Failed,
    Found,
    Looked,
    decide_outcome,
    not_offered,
)
from agents.runtime.gatekeeping.ruling import NOBODY_SAID, Heard
from agents.runtime.gatekeeping.third_party import Others, recognise
from agents.runtime.looking.calls import SourceCalls
from agents.runtime.looking.conflicts import Conflicts, read_conflicts
from agents.runtime.matching.deciding import CONFIRM_PERSON, Match, Matched, Nobody, Possible, find_match, query_for
from agents.runtime.matching.tries import Tries
from agents.runtime.source import (
    MAX_FINDINGS,
    MAX_PEOPLE,
    NOBODY,
    Finding,
    Label,
    LinkingSource,
    LocalPerson,
    PersonQuery,
    RecordBroken,
    RecordSource,
    SourceAway,
)
from broker.node.metrics import AgentMetrics
from schemas.messages.grant import Grant
from schemas.messages.request import RequestHeader, Subject, SubjectRef, Told
from schemas.records.record import Contact
from schemas.vocabulary import AgencyReason, Category, Outcome, SubjectRole

T = TypeVar("T")
_AWAY: Final = Failed(AgencyReason.SOURCE_AWAY, True)
_ERROR: Final = Failed(AgencyReason.SOURCE_ERROR, False)
_TOO_MANY: Final = Failed(AgencyReason.TOO_MANY_TRIES, False)
_UNSURE: Final = frozenset({Label.REFUGE})
"""What is assumed to protect somebody about whom nothing could be learnt."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks, and what that officer must not ask about."""

    officer: str
    conflicts: Conflicts


@dataclass(frozen=True, slots=True)
class Looking:
    """A source, and how it is called."""

    source: RecordSource
    calls: SourceCalls
    offered: frozenset[Category]
    """The categories this agency answers; others are not looked for."""
    metrics: AgentMetrics
    conflicts: Path | None = None
    """The agency's file of officers' conflicts of interest."""

    async def look(self, grant: Grant, told: Told) -> tuple[Looked, ...]:
        """All that is found about the subjects of a request, in their order. Failures are in it; nothing is raised."""
        read = partial(read_conflicts, self.conflicts, told.officer.id)
        conflicts = read() if self.conflicts is None else await self._try(read)
        if isinstance(conflicts, Failed):
            return tuple(_unread(subject, conflicts) for subject in told.subjects)
        asking = _Asking(told.officer.id, conflicts)
        born = [subject for subject in told.subjects if subject.role is not SubjectRole.UNBORN_CHILD]
        unborn = [subject for subject in told.subjects if subject.role is SubjectRole.UNBORN_CHILD]
        who = dict(
            zip(
                (one.ref for one in born),
                await _all(self._who(asking, query_for(one), one) for one in born),
                strict=True,
            )
        )
        mothers = {person.ref for looked in who.values() for person in _people(looked)}
        for subject in unborn:
            who[subject.ref] = await self._who(asking, query_for(subject, mothers), subject)
        return await _all(self._what(grant, who[subject.ref]) for subject in told.subjects)

    async def _who(self, asking: _Asking, query: PersonQuery, subject: Subject) -> Looked:
        ref = SubjectRef(ref=subject.ref, role=subject.role)
        found = await self._try(lambda: tuple(self.source.people(query)))
        if isinstance(found, Failed) or len(found) > MAX_PEOPLE:
            return Looked(ref, None, _UNSURE, found if isinstance(found, Failed) else _ERROR)
        match = find_match(query, found)
        if isinstance(match, Nobody):
            said = await self._try(partial(self.source.restrictions, NOBODY))
            if isinstance(said, Failed):
                return Looked(ref, None, _UNSURE, said)
            return Looked(ref, match, query=query, conflict=asking.conflicts.touch(query.names, ()))
        conflict, unlisted = asking.conflicts.touch(query.names, match.people), False
        labels: frozenset[Label] = frozenset().union(*(person.labels for person in match.people))
        for person in match.people:
            said = await self._try(partial(self.source.restrictions, person))
            if isinstance(said, Failed):
                return Looked(ref, None, _UNSURE, said)
            labels |= said.labels
            conflict |= asking.officer in said.excluded_officers
            unlisted |= said.allowed_officers is not None and asking.officer not in said.allowed_officers
        linked = await self._linked(match)
        links, failed = ((), linked) if isinstance(linked, Failed) else (linked, None)
        return Looked(
            ref, match, labels, query=query, linked=links, unlinked=failed, conflict=conflict, unlisted=unlisted
        )

    async def _linked(self, match: Match) -> tuple[LocalPerson, ...] | Failed:
        """Whom the system links to the person, if it can say and if texts of theirs may leave at all."""
        source = self.source
        if not isinstance(match, Matched) or not isinstance(source, LinkingSource):
            return ()
        return await self._try(lambda: tuple(one for person in match.people for one in source.linked(person)))

    async def _what(self, grant: Grant, looked: Looked) -> Looked:
        if looked.match is None:
            return looked
        granted = dict.fromkeys(one.category for one in grant.scope if looked.subject.role in one.roles)
        people = looked.match.people if isinstance(looked.match, Matched) else (NOBODY,)
        found = await _all(self._held(people, category) for category in granted if category in self.offered)
        by_category = dict(zip((one for one in granted if one in self.offered), found, strict=True))
        return replace(looked, found=by_category)

    async def _held(self, people: Sequence[LocalPerson], category: Category) -> Found:
        said = await self._try(lambda: [one for person in people for one in _read(self.source, person, category)])
        if isinstance(said, Failed):
            of_nobody = said if NOBODY in people else await self._try(lambda: _read(self.source, NOBODY, category))
            return Found(failed=said, for_all=of_nobody if isinstance(of_nobody, Failed) else None)
        if NOBODY in people:
            return Found()  # a broken record among what anybody's may be tells nothing of somebody unknown
        return Found(
            tuple(one for one in said if isinstance(one, Finding)),
            tuple(one for one in said if isinstance(one, RecordBroken)),
        )

    async def _try(self, work: Callable[[], T]) -> T | Failed:
        try:
            with self.metrics.source_seconds.time():
                return await self.calls.run(work)
        except SourceAway:
            failed = _AWAY
        except Exception:  # noqa: BLE001 - whatever a source raises may hold personal data: it is not looked at
            failed = _ERROR
        self.metrics.source_failures.labels(failed.reason).inc()
        return failed


def unreadable(header: RequestHeader) -> tuple[Looked, ...]:
    """What there is to find about the subjects of a request that nobody can open any more."""
    return tuple(Looked(one, None, _UNSURE, Failed(AgencyReason.SEALING_KEY_GONE, False)) for one in header.subjects)


def decide_all(
    gatekeeper: Gatekeeper,
    header: RequestHeader,
    grant: Grant,
    looked: Iterable[Looked],
    *,
    offered: frozenset[Category],
    contact: Contact | None,
    heard: Heard = NOBODY_SAID,
) -> list[Decided]:
    """The outcome of every category granted for every subject, in the order of the header.

    Args:
        heard: what people at the agency have said about the request.
    """
    by_ref = {one.subject.ref: _to_confirm(one, heard) for one in looked}
    anybody: frozenset[Label] = frozenset().union(*(one.labels for one in by_ref.values()))
    others = cache(lambda: others_of(by_ref.values()))
    conflict = any(one.conflict for one in by_ref.values())
    decided = []
    for subject in header.subjects:
        one = by_ref[subject.ref]
        question = Question(header, subject.role, one.labels, anybody, conflict, one.unlisted)
        for category in dict.fromkeys(scope.category for scope in grant.scope):
            scope = scope_for(grant, category, subject.role)
            if scope is not None and category not in offered:
                decided.append(not_offered(subject, scope))
            elif scope is not None:
                say = heard.about(subject.ref, category)
                decided.append(decide_outcome(gatekeeper, question, scope, one, contact, others, say))
    return decided


def _to_confirm(looked: Looked, heard: Heard) -> Looked:
    """What was found of somebody; less sure where a person at the agency asks the hub to confirm who is meant."""
    if looked.subject.ref not in heard.ruling.confirm or not isinstance(looked.match, Matched):
        return looked
    return replace(looked, match=Possible(CONFIRM_PERSON, looked.match.people, looked.match.weighed))


def cap_tries(tries: Tries, told: Told, looked: Sequence[Looked]) -> tuple[Looked, ...]:
    """What was found as far as the officer's tries allow: as it is, less sure, or not at all.

    Of somebody unborn nothing is ever certain, and there is nothing to guess.
    """
    capped = []
    for subject, one in zip(told.subjects, looked, strict=True):
        query = query_for(subject)
        refs = [person.ref for person in _people(one)]
        if subject.role is SubjectRole.UNBORN_CHILD:
            capped.append(one)
        elif not tries.may_describe(query):
            capped.append(replace(one, match=None, failed=_TOO_MANY, found={}))
        elif isinstance(one.match, Matched) and tries.has_doubted(query, refs):
            match = Possible(CONFIRM_PERSON, one.match.people, one.match.weighed, is_capped=True)
            capped.append(replace(one, match=match, found=_failures(one)))
        else:
            if isinstance(one.match, Possible):
                tries.note_doubt(query, refs)
            capped.append(one)
    return tuple(capped)


def may_return(looked: Iterable[Looked], decided: Callable[[], Iterable[Decided]]) -> bool:
    """Whether looking again later could find more that would be told; what a rule is silent about is not waited for.

    Args:
        decided: gives what would be told now; asked only if something may return.
    """
    everybody = tuple(looked)
    if any(one.failed is not None and one.failed.may_return for one in everybody):
        return True
    failed = [one.unlinked for one in everybody] + [found.failed for one in everybody for found in one.found.values()]
    if not any(one is not None and one.may_return for one in failed):
        return False
    return any(
        one.row.outcome is Outcome.COULD_NOT_LOOK and one.row.reason is AgencyReason.SOURCE_AWAY for one in decided()
    )


def _failures(looked: Looked) -> dict[Category, Found]:
    """Which categories could not be read whoever is asked about; nothing of what was found."""
    return {category: Found(for_all=found.for_all) for category, found in looked.found.items()}


def _read(source: RecordSource, person: LocalPerson, category: Category) -> list[Finding | RecordBroken]:
    """Read an iterator of findings to its end; a source that raises a broken record loses what would have followed."""
    read: list[Finding | RecordBroken] = []
    try:
        for one in source.findings(person, category):
            read.append(one)
            if len(read) > MAX_FINDINGS:
                break
    except RecordBroken as broken:
        read.append(broken)
    return read


def others_of(looked: Iterable[Looked]) -> Others:
    """Whom the texts about all of these must not name."""
    everybody = tuple(looked)
    return recognise(
        [one.query for one in everybody if one.query is not None],
        [person for one in everybody for person in _people(one)],
        [person for one in everybody for person in one.linked],
        [
            name
            for one in everybody
            for found in one.found.values()
            for finding in found.findings
            for name in names_of_others(finding)
        ],
    )


def _unread(subject: Subject, failed: Failed) -> Looked:
    return Looked(SubjectRef(ref=subject.ref, role=subject.role), None, _UNSURE, failed)


def _people(looked: Looked) -> tuple[LocalPerson, ...]:
    return looked.match.people if isinstance(looked.match, Matched | Possible) else ()


async def _all(works: Iterable[Coroutine[object, object, T]]) -> tuple[T, ...]:
    return tuple(await asyncio.gather(*works))
