"""`python -m agents.health`: the commands of a health trust's agent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agents.health.config import HealthConfig
from agents.health.records import HealthSource
from agents.runtime.cli import program
from agents.runtime.source import RecordSource
from schemas.vocabulary import AgencyKind

DEFAULTS: Final = Path(__file__).with_name("defaults.toml")


def make_source(section: Mapping[str, Any], home: Path) -> RecordSource:
    """A source of the `[health]` section.

    Raises:
        ValidationError: a key of the section does not hold.
    """
    return HealthSource(HealthConfig.model_validate(section), home)


main: Final = program(AgencyKind.HEALTH, make_source, DEFAULTS)

if __name__ == "__main__":
    main()
