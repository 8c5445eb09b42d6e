"""`python -m agents.probation`: the commands of a probation region's agent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agents.probation.config import ProbationConfig
from agents.probation.records import ProbationSource
from agents.runtime.cli import program
from agents.runtime.source import RecordSource
from schemas.vocabulary import AgencyKind

DEFAULTS: Final = Path(__file__).with_name("defaults.toml")


def make_source(section: Mapping[str, Any], home: Path) -> RecordSource:
    """A source of the `[probation]` section.

    Raises:
        ValidationError: a key of the section does not hold.
    """
    return ProbationSource(ProbationConfig.model_validate(section), home)


main: Final = program(AgencyKind.PROBATION, make_source, DEFAULTS)

if __name__ == "__main__":
    main()
