"""`deploy/THREAT-MODEL.md`, read: its lists, its threats, the tests they name; and the index made of them.

`python -m tests.architecture.threats` writes the index anew. Judges nothing: `test_threat_model` does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from tests.architecture.tree import ROOT

DOCUMENT: Final = "deploy/THREAT-MODEL.md"
LABELS: Final = (
    "Who and where",
    "Against",
    "They try",
    "Defence",
    "Shipped default",
    "What remains",
    "Tried by",
)
LISTS: Final = {"A": "asset", "B": "boundary", "E": "entry point", "K": "attacker"}
_THREAT: Final = re.compile(r"^### (T\d\d) (.+)$", re.MULTILINE)
_LABEL: Final = re.compile(r"^\* \*\*(.+?)\*\*: ", re.MULTILINE)
_ROW: Final = re.compile(r"^\| ([ABEK]\d+) \| ", re.MULTILINE)
_REFERENCE: Final = re.compile(r"\b([ABEK]\d+)\b")
_INDEX: Final = re.compile(r"(<!-- generated: threats -->\n).*?(<!-- end: threats -->)", re.DOTALL)
_TEST: Final = re.compile(r"`(tests/[^`:]+\.py)(?:::(test_\w+))?`")


@dataclass(frozen=True, slots=True)
class Threat:
    """One threat: its number, its title, what stands under each label."""

    number: str
    title: str
    fields: Mapping[str, str]
    labels: tuple[str, ...]

    @property
    def references(self) -> frozenset[str]:
        """Attackers, boundaries, entry points and assets that it names where it says who, where and against what."""
        return frozenset(_REFERENCE.findall(self.fields["Who and where"] + " " + self.fields["Against"]))

    @property
    def tests(self) -> tuple[tuple[str, str], ...]:
        """The files that try it, each with a function or an empty text."""
        return tuple(_TEST.findall(self.fields["Tried by"]))


@cache
def text() -> str:
    """The document."""
    return (ROOT / DOCUMENT).read_text(encoding="utf-8")


def listed() -> list[str]:
    """The names of everything in the four lists, in order."""
    return _ROW.findall(text())


def threats() -> list[Threat]:
    """The threats, in order."""
    body = text().split("\n## 6. ")[0]
    pieces = _THREAT.split(body)[1:]
    return [_threat(*pieces[at : at + 3]) for at in range(0, len(pieces), 3)]


def index() -> str:
    """The table at the end of the document: each threat, where it comes in, and what tries it."""
    lines = ["| threat | by | at | through | tried by |", "| --- | --- | --- | --- | --- |"]
    for threat in threats():
        by, at, through = (_of(threat, letter) for letter in "KBE")
        tried = ", ".join(f"`{name.rpartition('/')[2]}`" for name in dict.fromkeys(name for name, _ in threat.tests))
        lines.append(f"| {threat.number} {threat.title} | {by} | {at} | {through} | {tried} |")
    return "\n".join(lines)


def renewed() -> str:
    """The document with its index made anew."""
    return _INDEX.sub(lambda part: f"{part[1]}{index()}\n{part[2]}", text())


def _of(threat: Threat, letter: str) -> str:
    return " ".join(sorted((one for one in threat.references if one[0] == letter), key=lambda one: int(one[1:])))


def _threat(number: str, title: str, body: str) -> Threat:
    pieces = _LABEL.split(body)[1:]
    labels = tuple(pieces[::2])
    fields = {label: " ".join(field.split()) for label, field in zip(labels, pieces[1::2], strict=True)}
    return Threat(number, title, fields, labels)


if __name__ == "__main__":
    (ROOT / DOCUMENT).write_text(renewed(), encoding="utf-8")
