"""Generated documents are current, and what the specification names exists."""

from __future__ import annotations

import re

import pytest

from tests.documents import PARTS, ROOT, marked, renewed

SPEC = (ROOT / "schemas/SPEC.md").read_text(encoding="utf-8")
CHECKS = re.compile(r"^\| \d+ \| .* \| (?P<codes>[^|]*) \|$", re.MULTILINE)
FAILURES = set(re.findall(r"^\| `([a-z_]+)` \| (?:reject|retry|halt) \|", SPEC, re.MULTILINE))
SECTIONS = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)", SPEC, re.MULTILINE))


@pytest.mark.parametrize("document", sorted(PARTS))
def test_the_generated_parts_of_a_document_are_current(document: str) -> None:
    assert renewed(document) == (ROOT / document).read_text(encoding="utf-8"), "python -m tests.documents"


@pytest.mark.parametrize("document", sorted(PARTS))
def test_every_part_that_is_made_stands_in_its_document_once(document: str) -> None:
    assert sorted(marked(document)) == sorted(PARTS[document])
    assert (ROOT / document).read_text(encoding="utf-8").count("<!-- generated: ") == len(PARTS[document])


def test_every_code_that_a_check_of_the_specification_fails_with_exists() -> None:
    named = {code for row in CHECKS.finditer(SPEC) for code in re.findall(r"`([a-z_]+)`", row["codes"])}
    assert len(named) > 40
    assert not named - FAILURES


def test_every_section_that_the_code_cites_exists() -> None:
    cited: dict[str, str] = {}
    for top in ("schemas", "broker", "agents"):
        for path in sorted((ROOT / top).rglob("*.py")):
            for section in re.findall(r"\bSPEC (\d+(?:\.\d+)?)", path.read_text(encoding="utf-8")):
                cited.setdefault(section, str(path))
    assert len(cited) > 20
    assert not {section: path for section, path in cited.items() if section not in SECTIONS}
