"""A hub's own pack in a folder: the smallest that holds, and what is changed in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

RULE = """@id("own") @sentence("A social worker may ask.")
permit (principal == OfficerRole::"social_worker", action, resource);
"""
MANIFEST = """name = "own"
title = "Our own"
nation = "england"
version = 3
files = ["own.cedar", "agreements.toml", "expected.toml"]
"""
AGREEMENTS = """[[agreement]]
id = "isa-2026"
title = "Information sharing agreement"
version = 2
kinds = ["police"]
agencies = ["anytown-housing"]
purposes = ["child_protection"]
valid_from = 2026-01-01
valid_until = 2026-12-31
conditions = ["ukgdpr-6-1-e"]
source = "Partnership board, 4 December 2025"
"""
GLASS = """
[break_glass]
at_most_hours = 6
review_within_hours = 48
"""
EXPECTED = """[default]
mode = "content"
about = "index_child"
by = "social_worker"
purpose = "child_protection"
bases = ["ca1989-47"]
stage = "enquiry"
rag = "red"
consent = "not_sought"
allocated = false
conditions = ["ukgdpr-6-1-e"]
on = 2026-11-02

[like.by-police]
by = "police_officer"

[[case]]
id = "a social worker asks"
asks = "police.missing"
permitted_by = ["own"]

[[case]]
id = "somebody else asks"
like = ["by-police"]
asks = "police.missing"
not_by = ["own"]
refused_by = ["no-permit"]
"""
FILES = {"pack.toml": MANIFEST, "own.cedar": RULE, "agreements.toml": AGREEMENTS, "expected.toml": EXPECTED}


def write_own_pack(folder: Path, changes: Mapping[str, str | None] | None = None) -> Path:
    """Write the pack; a file whose change is None is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**FILES, **(changes or {})}.items():
        if text is not None:
            (folder / name).write_text(text)
    return folder
