"""An agent's configuration: what every node has, how it answers, and where the agency's own section is.

Frozen once read. Holds paths to secrets, never secrets. The section named for the agency's kind is the agency's own: it
is handed to the agency's program as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from agents.runtime.review.settings import ReviewSettings
from broker.node.settings import NodeSettings, Section, settings_of
from broker.node.toml_table import SettingsInvalid, read_table
from schemas.messages.fields import Line
from schemas.records.fields import Email, Telephone, Text
from schemas.records.record import Contact
from schemas.vocabulary import AgencyKind, Category


class PolicySettings(Section):
    """The agency's own rules beside the shipped ones."""

    directory: Path | None = Field(default=None, description="Folder of further *.cedar files; relative to the home.")
    conflicts: Path | None = Field(
        default=None, description="File of officers' conflicts of interest; relative to the home."
    )

    def directory_in(self, home: Path) -> Path | None:
        """Where that folder is, if there is one."""
        return None if self.directory is None else home / self.directory

    def conflicts_in(self, home: Path) -> Path | None:
        """Where that file is, if there is one."""
        return None if self.conflicts is None else home / self.conflicts


class ContactSettings(Section):
    """Whom the hub may ring about a record: a duty desk rather than a person."""

    team: Text | None = None
    telephone: Telephone | None = None
    email: Email | None = None


class AnswerSettings(Section):
    """How this agency answers."""

    jobs: Annotated[int, Field(ge=1, le=1024)] = Field(default=32, description="Requests looked at at once.")
    source_calls: Annotated[int, Field(ge=1, le=64)] = Field(default=8, description="Calls to the source at once.")
    source_seconds: Annotated[int, Field(ge=1, le=600)] = Field(
        default=30, description="Seconds before a call to the source counts as away."
    )
    slot_seconds: Annotated[int, Field(ge=0, le=600)] = Field(
        default=0,
        description="How long an answer waits at least that a rule could be silent about, so that its time tells "
        "nothing; longer than the slowest look at your system. 0: it leaves at once, and its time may tell.",
    )
    contact: ContactSettings | None = None

    def contact_record(self) -> Contact | None:
        """The contact as it stands in existence facts."""
        given = self.contact
        return None if given is None else Contact(team=given.team, telephone=given.telephone, email=given.email)


class AlertSettings(Section):
    """How this agency hears of alerts to its information-governance lead."""

    command: Annotated[tuple[str, ...], Field(max_length=16)] = Field(
        default=(),
        description="A program of yours and its arguments, run once an alert has come in; the alert's kind and number "
        "are put after them. It is told nothing else, and run again until it ends with status 0.",
    )


class AgentSettings(NodeSettings):
    """The whole file, but for the agency's own section."""

    kind: AgencyKind
    categories: tuple[Category, ...] = Field(
        description="What this agency answers; anything else could not be looked at."
    )
    handling_caveat: Line = Field(description="On what terms an answer may be kept and passed on; stands on each.")
    policy: PolicySettings = PolicySettings()
    answers: AnswerSettings = AnswerSettings()
    alerts: AlertSettings = AlertSettings()
    review: ReviewSettings = ReviewSettings()


@dataclass(frozen=True, slots=True)
class Configured:
    """What an agent was configured with: its settings, and the agency's own section as it stands in the file."""

    settings: AgentSettings
    section: Mapping[str, Any]


def load_configured(path: Path, kind: AgencyKind, defaults: Path) -> Configured:
    """Read `config.toml` over the agency's `defaults.toml`; the agency's own section is named for its kind.

    Raises:
        SettingsInvalid: a file cannot be read, is not TOML, or a key does not hold; the text names it.
    """
    members = _over(read_table(defaults), read_table(path))
    section = members.pop(kind.value, {})
    if not isinstance(section, dict):
        raise SettingsInvalid(f"{path}: {kind.value} is a section of its own: write [{kind.value}] above its keys")
    settings = settings_of({"kind": kind.value, **members}, AgentSettings, str(path))
    if settings.kind is not kind:
        raise SettingsInvalid(
            f"{path}: kind is {settings.kind.value}, and this is the program of a {kind.value} agency"
        )
    return Configured(settings, section)


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are joined key by key; anything else above replaces what is below."""
    joined = dict(below)
    for key, value in above.items():
        under = joined.get(key)
        joined[key] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return joined
