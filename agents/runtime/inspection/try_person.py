"""What would be found and leave for one person, tried at the agency by the agency. Nothing is sent, nothing is logged.

For whoever sets an agent up: the same looking, gatekeeper and minimising as for a request, on a person typed in. The
result holds personal data and goes to the terminal of the person who asked, nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError

from agents.runtime.gatekeeping.gatekeeper import Gatekeeper
from agents.runtime.looking.look import Looking, decide_all
from agents.runtime.matching.weights import shipped_weights
from agents.runtime.settings import AgentSettings
from broker.node.command_arguments import Arguments, read_arguments
from schemas.failures import Rejected
from schemas.messages.entry import nonce
from schemas.messages.fields import IsoDate, Line
from schemas.messages.grant import Grant, Scope
from schemas.messages.request import (
    AddressGiven,
    CategoryAsked,
    IdentifierGiven,
    NameGiven,
    OfficerNamed,
    RequestHeader,
    Subject,
    SubjectRef,
    Told,
)
from schemas.records.registry import fields_of
from schemas.vocabulary import (
    Category,
    ConsentState,
    LawfulBasis,
    Mode,
    OfficerRole,
    Purpose,
    Rag,
    Stage,
    SubjectRole,
)

_NO_DIGEST: Final = "0" * 64
_NO_ID: Final = "0" * 32
_NO_KEY: Final = "AA=="


class TryMalformed(Rejected):
    """What was asked to be tried is no person, as a request names one."""

    code = "try_malformed"


class Trial(Arguments):
    """A person as a hub could name them, and the circumstances of the question."""

    given: Line | None = None
    family: Line | None = None
    birth_date: IsoDate | None = None
    identifiers: Annotated[list[IdentifierGiven], Field(max_length=8, default_factory=list)]
    postcode: Line | None = None
    role: SubjectRole = SubjectRole.INDEX_CHILD
    purpose: Purpose = Purpose.CHILD_PROTECTION
    stage: Stage = Stage.ENQUIRY
    rag: Rag = Rag.AMBER
    officer_role: OfficerRole = OfficerRole.SOCIAL_WORKER
    mode: Mode = Mode.CONTENT
    categories: Annotated[list[Category], Field(max_length=64, default_factory=list)]
    """Empty: every category that this agency answers."""


@dataclass(frozen=True, slots=True)
class Trying:
    """What a trial runs on."""

    looking: Looking
    gatekeeper: Gatekeeper
    settings: AgentSettings

    async def run(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """What would become of each category.

        Raises:
            CommandMalformed: the arguments are not a trial.
            TryMalformed: nor a person; the text names the field and no value.
        """
        trial = read_arguments(Trial, arguments)
        try:
            header, grant, told = _as_request(trial, self.settings.categories)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            raise TryMalformed(f"{'.'.join(map(str, first['loc'])) or 'person'}: {first['msg'].lower()}") from None
        looked = await self.looking.look(grant, told)
        decided = decide_all(
            self.gatekeeper,
            header,
            grant,
            looked,
            offered=self.looking.offered,
            contact=self.settings.answers.contact_record(),
        )
        return {
            "policy": self.gatekeeper.digest,
            "matcher": shipped_weights().digest,
            "people": [
                line
                for one in looked
                if one.match is not None
                for weighed in sorted(one.match.weighed, key=lambda each: -each.score.weight)
                for line in weighed.lines()
            ],
            "outcomes": [
                {
                    "category": one.row.category.value,
                    "outcome": one.row.outcome.value,
                    "truth": one.kept.truth if one.kept is not None else "not-matched",
                    "rule": one.kept.rule if one.kept is not None else None,
                    "reason": one.row.reason,
                    "records": one.kept.records if one.kept is not None else 0,
                    "refs": one.kept.refs if one.kept is not None else [],
                    "facts": one.row.facts,
                }
                for one in decided
            ],
        }


def _as_request(trial: Trial, offered: Sequence[Category]) -> tuple[RequestHeader, Grant, Told]:
    """The trial as a request whose grant names every field; made of the messages' own models, and never sent."""
    subject = SubjectRef(ref=nonce(), role=trial.role)
    categories = trial.categories or list(offered)
    return _header(trial, subject, categories), _grant(trial, categories), _told(trial, subject)


def _told(trial: Trial, subject: SubjectRef) -> Told:
    name = NameGiven(given=trial.given or "unknown", family=trial.family) if trial.family else None
    person = Subject(
        ref=subject.ref,
        role=subject.role,
        name=name,
        other_names=[],
        birth_date=trial.birth_date,
        identifiers=trial.identifiers,
        addresses=[AddressGiven(postcode=trial.postcode)] if trial.postcode else [],
    )
    officer = OfficerNamed(id="trial", name="trial", position="trial")
    return Told(subjects=[person], officer=officer, stage=trial.stage, reason="trial")


def _header(trial: Trial, subject: SubjectRef, categories: Sequence[Category]) -> RequestHeader:
    return RequestHeader(
        hub="trial",
        log="trial",
        desk_key=_NO_ID,
        agency="trial",
        seal_key=_NO_ID,
        seal_epoch=0,
        enquiry=_NO_ID,
        exchange=_NO_ID,
        message_id=_NO_ID,
        received_at=0,
        asked_at=0,
        deadline_at=1,
        expires_at=2,
        purpose=trial.purpose,
        lawful_bases=[LawfulBasis.UKGDPR_6_1_E],
        stage=trial.stage,
        rag=trial.rag,
        consent=ConsentState.NOT_SOUGHT,
        officer="trial",
        officer_key=_NO_ID,
        officer_role=trial.officer_role,
        subjects=[subject],
        categories=[CategoryAsked(category=category, mode=trial.mode) for category in categories],
        reply_key=_NO_KEY,
        addendum_digest=_NO_DIGEST,
        body_digest=_NO_DIGEST,
    )


def _grant(trial: Trial, categories: Sequence[Category]) -> Grant:
    return Grant(
        hub="trial",
        agency="trial",
        exchange=_NO_ID,
        grant_key=_NO_ID,
        request_digest=_NO_DIGEST,
        policy_digest=_NO_DIGEST,
        rules=["trial"],
        scope=[
            Scope(
                category=category,
                mode=trial.mode,
                roles=[trial.role],
                fields=sorted(fields_of(category, trial.mode)),
                rule="trial",
            )
            for category in categories
        ],
        not_before=0,
        expires_at=2,
    )
