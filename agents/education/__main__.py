"""`python -m agents.education`: the commands of an education agent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agents.education.config import EducationConfig
from agents.education.records import EducationSource
from agents.runtime.cli import program
from agents.runtime.source import RecordSource
from schemas.vocabulary import AgencyKind

DEFAULTS: Final = Path(__file__).with_name("defaults.toml")


def make_source(section: Mapping[str, Any], home: Path) -> RecordSource:
    """A source of the `[education]` section.

    Raises:
        ValidationError: a key of the section does not hold.
    """
    return EducationSource(EducationConfig.model_validate(section), home)


main: Final = program(AgencyKind.EDUCATION, make_source, DEFAULTS)

if __name__ == "__main__":
    main()
