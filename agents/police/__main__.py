"""`python -m agents.police`: the commands of a force's agent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agents.police.config import PoliceConfig
from agents.runtime.cli import program
from agents.runtime.source import RecordSource
from schemas.failures import Failure
from schemas.vocabulary import AgencyKind

DEFAULTS: Final = Path(__file__).with_name("defaults.toml")


class DatabaseLibraryMissing(Failure):
    """The library that reads databases is not installed."""

    code = "database_library_missing"


def make_source(section: Mapping[str, Any], home: Path) -> RecordSource:
    """A source of the `[police]` section.

    Raises:
        ValidationError: a key of the section does not hold.
        PoliceConfigInvalid: the section names a database that cannot be used.
        DatabaseLibraryMissing: the distribution was installed without its `sql` extra.
    """
    config = PoliceConfig.model_validate(section)
    try:
        # Here and not above: the commands that read no record start without it, in half the time and memory.
        from agents.police.records import PoliceSource
    except ModuleNotFoundError:
        raise DatabaseLibraryMissing("install needtoknow[sql], or needtoknow[postgres] for PostgreSQL") from None
    return PoliceSource(config, home)


main: Final = program(AgencyKind.POLICE, make_source, DEFAULTS)

if __name__ == "__main__":
    main()
