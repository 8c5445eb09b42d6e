"""The program of a force: its defaults hold, it starts without the database library, and what is wrong is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agents.police.__main__ import DEFAULTS, DatabaseLibraryMissing, main, make_source
from agents.runtime.settings import load_configured
from schemas.records.registry import categories_of
from schemas.vocabulary import AgencyKind, Category


def test_the_defaults_answer_every_category_but_the_household(tmp_path: Path, database: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'kind = "police"\n[police]\nurl = "sqlite:///{database}"\n')
    configured = load_configured(config, AgencyKind.POLICE, DEFAULTS)
    answered = set(configured.settings.categories)
    assert answered == set(categories_of(AgencyKind.POLICE)) - {Category.PERSON_HOUSEHOLD}
    source = make_source(configured.section, tmp_path)
    assert source.check().is_read_only
    source.close()


def test_an_address_that_is_missing_from_the_section_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="url"):
        make_source({}, tmp_path)


def test_a_missing_database_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "agents.police.records", raising=False)
    monkeypatch.setitem(sys.modules, "agents.police.records", None)
    with pytest.raises(DatabaseLibraryMissing, match="needtoknow"):
        make_source({"url": "sqlite:///case.sqlite"}, tmp_path)


def test_the_commands_start_without_the_database_library() -> None:
    asked = "import sys, agents.police.__main__; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_the_program_has_the_commands_of_every_agent() -> None:
    assert {"init", "doctor", "run", "try"} <= set(main.commands)
