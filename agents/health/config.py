"""The `[health]` section of the agent's `config.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from agents.health.mapping import ServiceUse
from agents.runtime.source import Label
from broker.node.settings import Section
from schemas.records.fields import Email, Telephone, Text


class DutyContact(Section):
    """Whom the hub rings about a health record."""

    name: Text | None = None
    description: Text | None = None
    telephone: Telephone | None = None
    email: Email | None = None


class HealthConfig(Section):
    """Where the trust's export is and what its own codes mean.

    Raises:
        ValidationError: a key is unknown or a value is not of its kind; the text names the key.
    """

    folder: Path
    """The folder of NDJSON files; a relative one is taken from the agent's home."""
    finished_file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] | None = None
    """A file that the exporting system writes last of all; an export that is newer than it is unfinished."""
    settle_seconds: Annotated[float, Field(ge=0, le=3600)] = 5.0
    """How long nothing in the folder may have changed before it is read for the first time."""
    duty_contact: DutyContact | None = None
    services: Mapping[str, ServiceUse] = {}
    """The trust's own codes of services (`EpisodeOfCare.type`), beside those of `mapping.SERVICES`."""
    patient_labels: Mapping[str, Label] = {}
    """Further codes of `Patient.meta.security`, with the label each gives."""
    flag_labels: Mapping[str, Label] = {"sensitive": Label.REFUGE}
    """Codes of active flags that protect the person, with the label each gives."""
    late_booking_weeks: Annotated[int, Field(ge=1, le=42)] | None = None
    """From which completed week of pregnancy a booking counts as late; without it nothing is said about that."""
