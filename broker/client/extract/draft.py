"""The draft of an extract: TOML for the information-governance lead, who decides in it, and what the file then says.

Of each exchange it shows what the log says and asks two things; nothing but the answers may be changed. The file is the
lead's alone. What makes an answer fit is here; that it still fits the log is seen by searching again.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from broker.client.extract.person import Person, person_of
from broker.client.extract.searching import Search, Shared
from broker.node.owner_only import read_owner_only
from schemas.failures import Failure

_HEAD: Final = """\
# Draft of a data subject's extract of the sharing log. FOR THE INFORMATION-GOVERNANCE LEAD ALONE.
# It holds what the subject may not be told. Do not mail it; destroy it (shred -u) when the extract has been made.
#
# Answer below each exchange, between the quotation marks; change nothing else. Nothing is made while one is undecided.
#
# serious_harm   "no" or "yes": would telling be likely to cause serious harm to the physical or mental health of the
#                data subject or of anybody else (Data Protection Act 2018, Schedule 3: health Part 2, social work
#                Part 3, education Part 4)? "yes" also where somebody else asks for the data subject, the data are of
#                child abuse, and telling is not in the data subject's best interests (Part 5). With "yes" the
#                exchange is left out whole.
# consulted      in which role somebody was consulted about it, never a name:
#                {consulted}.
#                Data concerning health need the opinion of a health-professional for "no" and for "yes" (Part 2).
# third_parties  would it tell about another person who can be identified, or who told it (Schedule 2, paragraphs 16
#                and 17)? "none"; or yes, and they "consent"; or it is "reasonable" without their consent; or
#                "leave-out", and the exchange is left out whole. Also "leave-out" where it is another person.
#
# Whom it is about was compared strictly: an identifier that is equal, or a name (without case and accents) and the date
# of birth. Requests that spell the name in another way ARE NOT FOUND: put every name and spelling into the file.
# Lines `found_by`, `others`, `entry` and `reasons` are for you and are in no extract. The words of an entry:
#   broker log open ENTRY --lead-key FILE
"""


class SeriousHarm(StrEnum):
    """Whether telling would be likely to cause serious harm."""

    NO = "no"
    YES = "yes"


class ThirdParties(StrEnum):
    """What stands against telling on account of others, and why it is told all the same."""

    NONE = "none"
    CONSENT = "consent"
    REASONABLE = "reasonable"
    LEAVE_OUT = "leave-out"


class Consulted(StrEnum):
    """Who gave an opinion on the harm; as what, never by name."""

    HEALTH_PROFESSIONAL = "health-professional"
    SOCIAL_WORKER = "social-worker"
    EDUCATION = "education"
    POLICE = "police"
    LEGAL_ADVISER = "legal-adviser"
    NOBODY = "nobody"


ANSWERS: Final[Mapping[str, type[StrEnum]]] = {
    "serious_harm": SeriousHarm,
    "consulted": Consulted,
    "third_parties": ThirdParties,
}


class DraftInvalid(Failure):
    """A file that is no draft; the text names the place."""

    code = "draft_invalid"


class DraftUndecided(Failure):
    """A test is undecided, or decided in a way that the law does not let stand; the text names each place."""

    code = "draft_undecided"


class DraftOutdated(Failure):
    """The draft says something else than the log does."""

    code = "draft_outdated"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft that was read: for whom, and by exchange what it shows and what the lead answered."""

    person: Person
    shown: Mapping[str, Mapping[str, Any]]
    answers: Mapping[str, Mapping[str, str]]

    def check_decided(self) -> None:
        """Refuse a draft in which a test is undecided.

        Raises:
            DraftUndecided: naming each place.
        """
        wrong = [
            f"exchange {at}: {problem}"
            for at, (exchange, answers) in enumerate(self.answers.items(), 1)
            for problem in _problems(answers, has_health=_has_health(self.shown[exchange]))
        ]
        if wrong:
            raise DraftUndecided("; ".join(wrong))

    def handed_out(self, found: Sequence[Shared]) -> list[Shared]:
        """What goes into the extract, once every test is decided and the log still says what the draft shows.

        Raises:
            DraftUndecided, DraftOutdated: naming each place.
        """
        self.check_decided()
        self._check_current(found)
        return [one for one in found if not _is_left_out(self.answers[one.exchange])]

    def _check_current(self, found: Sequence[Shared]) -> None:
        now = {one.exchange: shown_of(one) for one in found}
        wrong = [
            f"exchange {at}: " + ", ".join(sorted(_differing(shown, now.get(exchange)))) + " is not as in the log"
            for at, (exchange, shown) in enumerate(self.shown.items(), 1)
            if shown != now.get(exchange)
        ]
        missing = len(now.keys() - self.shown.keys())
        wrong += [f"{missing} exchanges of the log are not in it"] if missing else []
        if wrong:
            raise DraftOutdated("; ".join(wrong) + ". Make another draft: broker log extract begin")


def shown_of(one: Shared) -> dict[str, Any]:
    """What a draft shows of an exchange, as its file holds it."""
    return {
        "exchange": one.exchange,
        "entry": one.entry,
        "found_by": one.found_by,
        "others": one.others,
        "asked_at": datetime.fromtimestamp(one.asked_at / 1000, UTC).isoformat(timespec="seconds"),
        "agency": one.agency,
        "about_as": list(one.about_as),
        "stage": one.stage,
        "purpose": one.purpose,
        "bases": list(one.bases),
        "asked": list(one.asked),
        "ended": one.ended,
        "outcomes": list(one.outcomes),
        "reasons": list(one.reasons),
    }


def draft_text(person: Person, search: Search) -> str:
    """The file of a new draft, every test undecided."""
    lines = [_HEAD.format(consulted=", ".join(Consulted)), *_remarks(search), "", "[subject]"]
    if person.birth_date:
        lines.append(f"birth_date = {_written(person.birth_date)}")
    for table in ("names", "identifiers"):
        for one in getattr(person, table):
            pairs = [f"{name} = {_written(str(value))}" for name, value in one.model_dump().items()]
            lines += [f"[[subject.{table}]]", *pairs]
    for at, one in enumerate(search.found, 1):
        lines += ["", f"# ---- exchange {at} of {len(search.found)}", "[[exchange]]"]
        lines += [f"{name} = {_written(value)}" for name, value in shown_of(one).items()]
        lines += ["# your answers:", *(f'{name} = ""' for name in ANSWERS)]
    return "\n".join([*lines, ""])


def read_draft(path: Path) -> Draft:
    """The draft in a file that nobody but its owner can read.

    Raises:
        DraftInvalid: it is none; the text names the place and nothing that the file says.
        SubjectInvalid: for whom it is does not hold.
        KeyStoreUnsafe: it is missing, or open to others.
    """
    try:
        table = tomllib.loads(read_owner_only(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = re.search(r"line (\d+)", str(error))
        raise DraftInvalid(f"{path} is not TOML" + (f" (line {line[1]})" if line else "")) from None
    if not table.keys() <= {"subject", "exchange"} or not isinstance(table.get("exchange", []), list):
        raise DraftInvalid(f"{path} holds something else than a subject and exchanges")
    shown: dict[str, Mapping[str, Any]] = {}
    answers: dict[str, Mapping[str, str]] = {}
    for at, one in enumerate(table.get("exchange", []), 1):
        name = one.get("exchange") if isinstance(one, dict) else None
        if not isinstance(name, str) or name in shown:
            raise DraftInvalid(f"exchange {at}: it names no exchange, or one that stands there already")
        answers[name] = {answer: str(one.get(answer, "")).strip() for answer in ANSWERS}
        shown[name] = {key: value for key, value in one.items() if key not in ANSWERS}
    return Draft(person_of(table.get("subject")), shown, answers)


def _problems(answers: Mapping[str, str], *, has_health: bool) -> Iterator[str]:
    undecided = False
    for name, words in ANSWERS.items():
        if answers[name] not in set(words):
            undecided = True
            yield f"{name} is {'not one of' if answers[name] else 'undecided:'} {', '.join(words)}"
    if undecided:
        return
    consulted = answers["consulted"]
    if has_health and consulted != Consulted.HEALTH_PROFESSIONAL:
        yield "consulted: data concerning health need the opinion of a health-professional (Schedule 3 Part 2)"
    elif answers["serious_harm"] == SeriousHarm.YES and consulted == Consulted.NOBODY:
        yield 'consulted: serious_harm "yes" needs somebody who was consulted'


def _has_health(shown: Mapping[str, Any]) -> bool:
    """By what the draft shows; that it is what the log says is checked as well."""
    return any(str(one).startswith("health.") for name in ("asked", "outcomes") for one in shown.get(name, ()))


def _is_left_out(answers: Mapping[str, str]) -> bool:
    return answers["serious_harm"] != SeriousHarm.NO or answers["third_parties"] == ThirdParties.LEAVE_OUT


def _differing(shown: Mapping[str, Any], now: Mapping[str, Any] | None) -> set[str]:
    """The names of the lines that differ; one that is none of ours is not repeated."""
    if now is None:
        return {"exchange"}
    return {name for name in now if shown.get(name) != now[name]} or {"another line"}


def _remarks(search: Search) -> list[str]:
    said = [f"{search.entries} entries of the log were read, {len(search.found)} exchanges found."]
    if search.erased:
        said.append(f"{search.erased} requests were not searched: what they said was erased when its time was over.")
    if search.unopened:
        said.append(f"{search.unopened} requests were not searched: no key that you gave opens them. An earlier key of")
        said.append("  yours? Give both: --lead-key FILE --lead-key EARLIER")
    if search.contradicted:
        listed = ", ".join(str(index) for index in search.contradicted)
        said.append("Not taken, since an identifier differs where name and date of birth are equal. Look whether it is")
        said.append(f"  the same person, and put that identifier into the file if it is: entries {listed}")
    return [f"# {line}" for line in said]


def _written(value: str | int | Sequence[str]) -> str:
    """A value in TOML: JSON's strings, whole numbers and lists of strings are TOML's too."""
    return json.dumps(value, ensure_ascii=False)
