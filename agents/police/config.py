"""The `[police]` section of the agent's `config.toml`. Holds the way to a password, never one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from agents.runtime.source import Label
from broker.node.settings import Section
from schemas.records.fields import Email, Telephone, Text


class DutyContact(Section):
    """Whom the hub rings about a police record."""

    name: Text | None = None
    description: Text | None = None
    telephone: Telephone | None = None
    email: Email | None = None


class PoliceConfig(Section):
    """Where the force's records are and which of its codes protect a person.

    Raises:
        ValidationError: a key is unknown or a value is not of its kind; the text names the key.
    """

    url: Annotated[str, Field(min_length=1, repr=False)]
    """An SQLAlchemy address without a password; a relative SQLite file is taken from the agent's home."""
    password_file: Path | None = None
    """A file that holds the database password in its first line; readable by the agent's user only."""
    database_schema: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")] | None = None
    """The database schema that the tables, or views of their names, are in."""
    statement_seconds: Annotated[float, Field(ge=0.1, le=300)] = 10.0
    """The longest one look may take, waiting for a lock included."""
    duty_contact: DutyContact | None = None
    marker_labels: Mapping[str, Label] = {}
    """Warning-marker codes that protect the person, with the label each gives."""
    open_outcomes: tuple[str, ...] = ()
    """Outcomes of an event that mean the force still works on it."""
