"""What may not be committed: addresses of a machine or a registry, keys, stores, locks with download addresses."""

from __future__ import annotations

import re

from tests.architecture.tree import ROOT, tracked

TOP_FOLDERS = {"agents", "broker", "deploy", "schemas", "tests", ".ci"}

# Brackets keep the patterns from finding themselves.
HOSTS = re.compile(
    rb"p[y]pi\.org|p[y]thonhosted|registry\.n[p]mjs|deb\.d[e]bian|proxy\.g[o]lang|(?<!\w)/(wor[k]|roo[t]|far[m]|tm[p])/"
)
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*P[R]IVATE KEY-----")
NAMES = re.compile(r"(^|/)(uv\.lock|node_modules/)|\.min\.(js|css)$|\.(pem|key|seed|nk|creds|sqlite3?|db|pyz|whl)$")


def found(pattern: re.Pattern[bytes]) -> list[str]:
    hits = []
    for path in tracked():
        for number, line in enumerate((ROOT / path).read_bytes().splitlines(), start=1):
            if pattern.search(line):
                hits.append(f"{path}:{number}")
    return hits


def test_no_committed_file_names_a_registry_or_a_path_of_one_machine() -> None:
    assert found(HOSTS) == []


def test_no_committed_file_holds_a_private_key() -> None:
    assert found(PRIVATE_KEY) == []


def test_no_key_store_or_built_file_is_committed() -> None:
    assert [str(path) for path in tracked() if NAMES.search(path.as_posix())] == []


def test_there_is_no_top_folder_but_those_of_the_layout() -> None:
    assert {path.parts[0] for path in tracked() if len(path.parts) > 1} <= TOP_FOLDERS
