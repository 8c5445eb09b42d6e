"""Every vector ends in what it says, and writing them again changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from schemas.failures import Failure
from schemas.vectors.files import SCHEMAS, generated_files, stray_files
from tests.vectors.runners import RUNNERS, Case

ELSEWHERE = {"ledger", "kept"}
"""The ledger's vectors are run in `tests/unit/schemas/ledger`; kept texts are parts of other vectors."""


def cases() -> Iterator[tuple[str, Case]]:
    for file in RUNNERS:
        for case in json.loads((SCHEMAS / f"vectors/{file}.json").read_text(encoding="utf-8"))["cases"]:
            yield file, case


ALL = [pytest.param(file, case, id=f"{file}: {case['name']}") for file, case in cases()]


@pytest.mark.parametrize(("file", "case"), ALL)
def test_a_vector_ends_in_what_it_says(file: str, case: Case) -> None:
    if case["expect"] == "ok":
        RUNNERS[file](case)
    else:
        with pytest.raises(Failure) as failure:
            RUNNERS[file](case)
        assert failure.value.code == case["expect"]


def test_every_file_of_vectors_is_run() -> None:
    files = {path.stem for path in SCHEMAS.glob("vectors/*.json")}
    assert files == RUNNERS.keys() | ELSEWHERE


def test_no_two_vectors_of_a_file_have_one_name() -> None:
    names = [(file, case["name"], case.get("kind")) for file, case in cases()]
    assert len(names) == len(set(names))


def test_writing_the_generated_files_again_changes_nothing() -> None:
    changed = [
        name
        for name, text in generated_files().items()
        if not (SCHEMAS / name).exists() or (SCHEMAS / name).read_text(encoding="utf-8") != text
    ]
    assert changed == [], "make vectors"


def test_no_generated_file_is_left_from_before() -> None:
    assert stray_files() == []
