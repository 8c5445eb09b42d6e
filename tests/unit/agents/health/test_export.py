"""An export that is replaced: taken in whole or not at all, never a part of it, never through a link, never written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from agents.health.records import HealthSource
from agents.runtime.source import SourceAway
from schemas.vocabulary import Category
from tests.contract.records.county_health import (
    add,
    alter,
    county,
    noon_ms,
    open_source,
    patients_of,
    query_for,
    write_trust,
)
from tests.support.clock import HandClock
from tests.unit.agents.health.asking import facts, the_person


def knows_the_child(source: HealthSource) -> bool:
    found = source.people(query_for(county().case("family")))
    return any(person.ref in patients_of("family") for person in found)


def test_a_new_export_is_read_before_the_next_look(folder: Path, source: HealthSource) -> None:
    person = the_person(source, "family")
    alter(folder, "Appointment", lambda _: True, lambda one: one.update(status="fulfilled"))
    assert facts(source, person, Category.HEALTH_WAS_NOT_BROUGHT) == []


def test_an_export_in_another_folder_of_the_same_name_is_read(
    tmp_path: Path, folder: Path, source: HealthSource
) -> None:
    assert knows_the_child(source)
    newer = tmp_path / "newer"
    shutil.copytree(folder, newer)
    alter(
        newer,
        "Patient",
        lambda one: one["id"] in patients_of("family"),
        lambda one: one.update(name=[], birthDate=None),
    )
    folder.rename(tmp_path / "older")
    newer.rename(folder)
    assert not knows_the_child(source)


@pytest.mark.parametrize("kind", ["Patient", "Flag", "CareTeam"])
def test_a_resource_type_without_a_file_is_away(folder: Path, source: HealthSource, kind: str) -> None:
    (folder / f"{kind}.ndjson").unlink()
    with pytest.raises(SourceAway, match=kind):
        knows_the_child(source)


def test_an_empty_file_says_that_there_are_none(folder: Path, source: HealthSource) -> None:
    (folder / "Flag.ndjson").write_text("")
    assert facts(source, the_person(source, "family"), Category.HEALTH_FLAG) == []


def test_an_export_without_patients_is_no_export(folder: Path, source: HealthSource) -> None:
    (folder / "Patient.ndjson").write_text("")
    with pytest.raises(SourceAway, match="not one Patient"):
        knows_the_child(source)


def test_patients_cut_off_at_the_end_of_a_line_are_missed(folder: Path, source: HealthSource) -> None:
    path = folder / "Patient.ndjson"
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:100]), "utf-8")
    with pytest.raises(SourceAway, match="nobody could be called unknown"):
        knows_the_child(source)
    assert any("not in the export" in problem for problem in source.check().problems)


def test_a_last_line_without_its_end_is_an_export_being_written(folder: Path, source: HealthSource) -> None:
    add(folder, "Encounter", '{"resourceType": "Encounter", "id": "e-9')
    with pytest.raises(SourceAway, match="middle of a line"):
        knows_the_child(source)


def test_a_whole_last_line_needs_no_line_end(folder: Path, source: HealthSource) -> None:
    path = folder / "Encounter.ndjson"
    path.write_text(path.read_text("utf-8").rstrip("\n"), "utf-8")
    assert knows_the_child(source)


def test_an_export_changed_a_moment_ago_is_away_until_it_has_settled(tmp_path: Path) -> None:
    folder, clock = write_trust(tmp_path), HandClock(noon_ms())
    for path in folder.iterdir():
        os.utime(path, (noon_ms() / 1000 - 3, noon_ms() / 1000 - 3))
    source = open_source(folder, clock, settle_seconds=5)
    with pytest.raises(SourceAway, match="being written"):
        knows_the_child(source)
    clock.turn(3_000)
    assert knows_the_child(source)


def test_an_export_newer_than_the_word_that_it_is_finished_is_away(folder: Path) -> None:
    source = open_source(folder, finished_file="manifest.json")
    with pytest.raises(SourceAway):
        knows_the_child(source)
    manifest = folder / "manifest.json"
    manifest.write_text("{}")
    os.utime(manifest, ns=(0, max(path.stat().st_mtime_ns for path in folder.iterdir())))
    assert knows_the_child(source)
    os.utime(manifest, (0, 0))
    with pytest.raises(SourceAway, match="newer"):
        knows_the_child(source)


def test_a_file_written_over_while_it_is_read_is_away(folder: Path, source: HealthSource) -> None:
    person = the_person(source, "family")
    path = folder / "Encounter.ndjson"

    def look() -> None:
        with source._look() as holdings:
            assert b"Bruising" in holdings.files.read(path.name, 0, 600)
            path.write_bytes(path.read_bytes().replace(b"Bruising", b"Breaking"))
            os.utime(path, (1, 1))

    with pytest.raises(SourceAway, match="replaced"):
        look()
    assert "Breaking" in str(facts(source, person, Category.HEALTH_ED_ATTENDANCE))


def test_a_file_behind_a_link_is_not_read(tmp_path: Path, folder: Path, source: HealthSource) -> None:
    (folder / "Flag.ndjson").rename(tmp_path / "elsewhere")
    (folder / "Flag.ndjson").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SourceAway, match="no file of Flag"):
        knows_the_child(source)


def test_files_of_one_type_may_be_several(folder: Path, source: HealthSource) -> None:
    lines = (folder / "Patient.ndjson").read_text("utf-8").splitlines(keepends=True)
    (folder / "Patient.ndjson").unlink()
    (folder / "Patient.000.ndjson").write_text("".join(lines[:100]), "utf-8")
    (folder / "Patient-1.ndjson").write_text("".join(lines[100:]), "utf-8")
    assert source.check().counts["Patient"] == len(lines)
    assert knows_the_child(source)


def test_an_export_that_is_away_when_the_agent_starts_is_read_when_it_is_back(tmp_path: Path) -> None:
    source = open_source(tmp_path / "export")
    with pytest.raises(SourceAway):
        knows_the_child(source)
    write_trust(tmp_path)
    assert knows_the_child(source)
