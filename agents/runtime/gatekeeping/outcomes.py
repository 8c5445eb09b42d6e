"""What becomes of each category about each subject: one outcome, and what the agency's own log says of it.

Pure. The order of the questions is the argument, so that neither silence nor withholding says more than it should:

1. could it be learnt who is meant and what protects them    -> could not look
2. could the category be read of anybody at all              -> could not look
3. is nobody meant                                           -> not known
4. is a rule silent about all that is held of it             -> not known, as for somebody unknown
5. is somebody possibly meant                                -> possible match
6. could the category be read, and whom others are           -> could not look
7. is nothing of the category held                           -> not known
8. does a rule or a person withhold it                       -> withheld, with the reason
9. is one of its records broken                              -> could not look
10. is anything left after each record's own rule            -> answered, known but nothing relevant, or withheld
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from pydantic import JsonValue

from agents.runtime.gatekeeping.gatekeeper import BESIDE_ANSWERED, Effect, Gatekeeper, Passage, Question
from agents.runtime.gatekeeping.minimise import Extract, Fact, minimise, minimise_existence
from agents.runtime.gatekeeping.ruling import BY_PERSON, NOBODY_SAID, Say
from agents.runtime.gatekeeping.third_party import Others
from agents.runtime.matching.deciding import Match, Matched, Nobody, Possible
from agents.runtime.own_log import MAX_REFS, KeptRow
from agents.runtime.source import MAX_FINDINGS, Finding, Label, LocalPerson, PersonQuery, RecordBroken
from schemas.messages.answer import OutcomeRow
from schemas.messages.grant import Scope
from schemas.messages.request import SubjectRef
from schemas.records.record import Contact
from schemas.vocabulary import AgencyReason, AgencyRule, Category, Evidence, Mode, Outcome

_SHIPPED: Final = frozenset(AgencyRule)

_Truth = Literal["matched", "withheld", "denied-silently", "possible-match", "broken", "could-not-look", "too-large"]


@dataclass(frozen=True, slots=True)
class Failed:
    """Something could not be read; the reason is for the asker."""

    reason: AgencyReason
    may_return: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a source gave for one person or several and one category."""

    findings: tuple[Finding, ...] = field(default=(), repr=False)
    broken: tuple[RecordBroken, ...] = field(default=(), repr=False)
    failed: Failed | None = None
    for_all: Failed | None = None
    """It could not be read whoever is asked about: shown of somebody unknown, and of whom a rule is silent, too."""


@dataclass(frozen=True, slots=True)
class Looked:
    """All that was found about one subject; `match` is None where even that could not be read."""

    subject: SubjectRef
    match: Match | None = field(repr=False)
    labels: frozenset[Label] = frozenset()
    failed: Failed | None = None
    found: Mapping[Category, Found] = field(default_factory=dict, repr=False)
    query: PersonQuery | None = field(default=None, repr=False)
    """The subject as the request names them."""
    linked: tuple[LocalPerson, ...] = field(default=(), repr=False)
    """People whom the agency's system links to the subject."""
    unlinked: Failed | None = None
    """It could not be learnt whom the system links to the subject: nothing about them leaves."""
    conflict: bool = False
    """The officer who asks has a conflict of interest in this subject."""
    unlisted: bool = False
    """The subject has a list of officers who may ask, and this one is not on it."""


@dataclass(frozen=True, slots=True)
class Decided:
    """An outcome for the asker, and the truth of it for the agency's own sealed log (None: nothing to add)."""

    row: OutcomeRow
    kept: KeptRow | None = field(repr=False)


def decide_outcome(
    gatekeeper: Gatekeeper,
    question: Question,
    scope: Scope,
    looked: Looked,
    contact: Contact | None,
    others: Callable[[], Others] = Others,
    say: Say | None = None,
) -> Decided:
    """The outcome of one category about one subject.

    Args:
        others: gives whom the texts that leave must not name.
        say: what a person at the agency has said about it.
    """
    say = say or NOBODY_SAID.about(looked.subject.ref, scope.category)
    rows = _Rows(looked.subject.ref, scope.category, scope.mode)
    if looked.match is None or looked.failed is not None:  # 1
        return rows.could_not_look(looked.failed or Failed(AgencyReason.SOURCE_ERROR, False))
    found = looked.found.get(scope.category, Found())
    if found.for_all is not None:  # 2
        return rows.could_not_look(found.for_all)
    if isinstance(looked.match, Nobody):  # 3
        return Decided(rows.plain(Outcome.NOT_KNOWN), None)
    by_rule = gatekeeper.decide(question, scope.category, scope.mode, is_read=say.is_read)
    if by_rule.effect is Effect.DENY_SILENT:  # 4
        return rows.silent(by_rule.rule, looked.match, found.findings)
    passages = {  # many records have few labels between them
        labels: gatekeeper.decide(question, scope.category, scope.mode, labels, is_read=say.is_read)
        for labels in {one.labels for one in found.findings if one.labels}
    }
    judged = [(one, passages.get(one.labels, by_rule)) for one in found.findings]
    if judged and not found.broken and all(by.effect is Effect.DENY_SILENT for _, by in judged):
        return rows.silent(judged[0][1].rule, looked.match, found.findings)
    passage = say.over(by_rule)
    if isinstance(looked.match, Possible):  # 5
        return rows.possible(looked.match)
    if (failed := found.failed or looked.unlinked) is not None:  # 6
        return rows.could_not_look(failed)
    if not found.findings and not found.broken:  # 7
        return Decided(rows.plain(Outcome.NOT_KNOWN), rows.kept("matched", _refs(looked.match), 0))
    if passage.effect is not Effect.ALLOW:  # 8
        return rows.withheld(passage, found.findings, say.written)
    if found.broken:  # 9
        return rows.broken(found.broken)
    heard = [(one, say.over(by, one)) for one, by in judged]
    return _by_record(scope, heard, passage, contact, others, rows)  # 10


def not_offered(subject: SubjectRef, scope: Scope) -> Decided:
    """The outcome of a category that this agency does not answer: nothing was looked at, whoever is asked about."""
    return _Rows(subject.ref, scope.category, scope.mode).could_not_look(Failed(AgencyReason.NOT_OFFERED, False))


def too_large(row: OutcomeRow) -> Decided:
    """The outcome in place of one whose facts do not fit an answer."""
    rows = _Rows(row.subject, row.category, row.mode)
    plain = rows.plain(Outcome.COULD_NOT_LOOK, reason=AgencyReason.TOO_LARGE)
    return Decided(plain, rows.kept("too-large", (), len(row.facts), reason=AgencyReason.TOO_LARGE))


def _by_record(
    scope: Scope,
    judged: Sequence[tuple[Finding, Passage]],
    passage: Passage,
    contact: Contact | None,
    others: Callable[[], Others],
    rows: _Rows,
) -> Decided:
    findings = [one for one, _ in judged]
    passed = [(one, by) for one, by in judged if by.effect is Effect.ALLOW]
    visible = [(one, by) for one, by in judged if by.effect not in (Effect.ALLOW, Effect.DENY_SILENT)]
    if not passed:
        return rows.withheld(visible[0][1], [one for one, _ in visible])
    try:
        extract = _extract(scope, passed, passage, contact, others)
    except RecordBroken as broken:
        return rows.broken([broken])
    refs = tuple(one.local_ref for one, _ in passed)
    reason = _beside(passed, part_withheld=bool(visible))
    if not extract.facts:
        kept = rows.kept("matched", refs, len(findings), rule=passage.rule)
        return Decided(rows.plain(Outcome.KNOWN_NOTHING_RELEVANT, rule=passage.rule, reason=reason), kept)
    row = rows.plain(Outcome.ANSWERED, rule=passage.rule, reason=reason, facts=extract.facts)
    return Decided(row, rows.kept("matched", refs, len(findings), rule=passage.rule, reason=reason))


def _beside(passed: Sequence[tuple[Finding, Passage]], *, part_withheld: bool) -> AgencyReason | None:
    """What stands beside *answered*: that some was withheld, and what a rule says of what was not."""
    said = min((by.reason for _, by in passed if by.reason is not None), default=None)
    if not part_withheld:
        return said
    return AgencyReason.PART_WITHHELD if said is None else BESIDE_ANSWERED[said]


def _extract(
    scope: Scope,
    passed: Sequence[tuple[Finding, Passage]],
    passage: Passage,
    contact: Contact | None,
    others: Callable[[], Others],
) -> Extract:
    if scope.mode is Mode.EXISTENCE:
        return minimise_existence([one for one, _ in passed], passage, scope, contact)
    if len(passed) > MAX_FINDINGS:
        raise RecordBroken(scope.category, "", "number of records")
    return minimise(passed, scope, others)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Writes the rows of one subject and category."""

    subject: str
    category: Category
    mode: Mode

    def plain(
        self,
        outcome: Outcome,
        *,
        rule: str | None = None,
        reason: AgencyReason | None = None,
        written: str | None = None,
        confirm: Sequence[Evidence] = (),
        facts: Sequence[Fact] = (),
    ) -> OutcomeRow:
        return OutcomeRow(
            subject=self.subject,
            category=self.category,
            mode=self.mode,
            outcome=outcome,
            rule=None if rule is None else _told(rule),
            reason=reason,
            written=written,
            confirm=list(confirm),
            facts=cast("list[dict[str, JsonValue]]", list(facts)),
        )

    def kept(
        self,
        truth: _Truth,
        refs: Sequence[str],
        records: int,
        *,
        rule: str | None = None,
        reason: AgencyReason | None = None,
    ) -> KeptRow:
        named = [ref for ref in dict.fromkeys(refs) if ref][:MAX_REFS]
        return KeptRow(
            subject=self.subject,
            category=self.category,
            mode=self.mode,
            truth=truth,
            rule=rule,
            reason=reason,
            records=records,
            refs=named,
        )

    def could_not_look(self, failed: Failed) -> Decided:
        row = self.plain(Outcome.COULD_NOT_LOOK, reason=failed.reason)
        return Decided(row, self.kept("could-not-look", (), 0, reason=failed.reason))

    def silent(self, rule: str, match: Match | None, findings: Sequence[Finding]) -> Decided:
        refs = (*_refs(match), *(one.local_ref for one in findings))
        return Decided(self.plain(Outcome.NOT_KNOWN), self.kept("denied-silently", refs, len(findings), rule=rule))

    def withheld(self, by: Passage, findings: Sequence[Finding], written: str | None = None) -> Decided:
        words = written if by.rule == BY_PERSON else None
        row = self.plain(Outcome.WITHHELD, rule=by.rule, reason=by.reason, written=words)
        refs = [one.local_ref for one in findings]
        return Decided(row, self.kept("withheld", refs, len(findings), rule=by.rule, reason=by.reason))

    def broken(self, broken: Sequence[RecordBroken]) -> Decided:
        row = self.plain(Outcome.COULD_NOT_LOOK, reason=AgencyReason.RECORD_BROKEN)
        refs = [one.local_ref for one in broken]
        return Decided(row, self.kept("broken", refs, len(broken), reason=AgencyReason.RECORD_BROKEN))

    def possible(self, match: Possible) -> Decided:
        row = self.plain(Outcome.POSSIBLE_MATCH, confirm=match.confirm)
        reason = AgencyReason.TOO_MANY_TRIES if match.is_capped else None
        return Decided(row, self.kept("possible-match", _refs(match), len(match.people), reason=reason))


def _told(rule: str) -> AgencyRule:
    """What the asker and the hub's log learn of a rule: its name, if it is one that every agent ships with."""
    return AgencyRule(rule) if rule in _SHIPPED else AgencyRule.OWN_RULE


def _refs(match: Match | None) -> tuple[str, ...]:
    return tuple(person.ref for person in match.people) if isinstance(match, Matched | Possible) else ()
