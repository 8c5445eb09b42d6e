"""The `[education]` section of the agent's `config.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from broker.node.settings import Section
from schemas.records.fields import Email, Telephone, Text


class Nation(StrEnum):
    """Whose list of attendance codes the registers are kept by."""

    ENGLAND = "england"
    WALES = "wales"


class DutyContact(Section):
    """Whom the hub rings where a school has named no lead of its own."""

    name: Text | None = None
    description: Text | None = None
    telephone: Telephone | None = None
    email: Email | None = None


class EducationConfig(Section):
    """Where the schools' files are.

    Raises:
        ValidationError: a key is unknown or a value is not of its kind; the text names the key.
    """

    folder: Path
    """The folder of files; a relative one is taken from the agent's home."""
    finished_file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] | None = None
    """A file that whoever puts the files there writes last of all; files that are newer than it are unfinished."""
    settle_seconds: Annotated[float, Field(ge=0, le=3600)] = 5.0
    """How long nothing in the folder may have changed before it is read for the first time."""
    protected_file: bool = False
    """Whether `protected.csv` has to be there; the children it names are protected whenever it is."""
    nation: Nation = Nation.ENGLAND
    duty_contact: DutyContact | None = None
    relationships: Mapping[str, Text] = {}
    """Codes of a contact's relationship, beside those of `mapping.RELATIONSHIPS`."""
