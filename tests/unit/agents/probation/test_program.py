"""The program of a region: its defaults hold, and a section that does not is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.probation.__main__ import DEFAULTS, main, make_source
from agents.runtime.settings import load_configured
from schemas.records.registry import categories_of
from schemas.vocabulary import AgencyKind, Category


def test_the_defaults_answer_every_category_but_the_household(tmp_path: Path, folder: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'kind = "probation"\n[probation]\nfolder = "{folder}"\n')
    configured = load_configured(config, AgencyKind.PROBATION, DEFAULTS)
    answered = set(configured.settings.categories)
    assert answered == set(categories_of(AgencyKind.PROBATION)) - {Category.PERSON_HOUSEHOLD}
    source = make_source(configured.section, tmp_path)
    assert source.check().is_read_only
    source.close()


def test_a_folder_that_is_missing_from_the_section_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="folder"):
        make_source({}, tmp_path)


def test_the_program_has_the_commands_of_every_agent() -> None:
    assert {"init", "doctor", "run", "try"} <= set(main.commands)
