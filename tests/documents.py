"""`python -m tests.documents`: write the generated parts of the documents again.

A part stands between `<!-- generated: name -->` and `<!-- end: name -->`. `PARTS` says which document has which parts
and what makes them; a test compares. Adding a part is adding a line to `PARTS` and the two marks to the document.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from broker.coordinator.exchange import diagram
from schemas.failures import Disposition, Failure
from schemas.specification import tables

ROOT: Final = Path(__file__).parents[1]
_PART: Final = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end: (?P=name) -->)", re.DOTALL)
_SPOKEN: Final = (
    "schemas",
    "broker.node.log_keys",
    "broker.node.post",
    "broker.coordinator",
    "broker.desk",
    "broker.enrolment.tls.authority",
    "broker.enrolment.members.renewing",
    "agents.runtime",
)
"""Packages and modules whose failure codes may stand in an acknowledgement or in an own log's `rejected` entry."""


def progress_diagram() -> str:
    """The life of an exchange, drawn from the coordinator's transitions."""
    return f"```mermaid\n{diagram().rstrip()}\n```"


def failure_codes() -> str:
    """Every failure code that is spoken, by what is to be done about it."""
    for package in _SPOKEN:
        _load(package)
    found: dict[tuple[str, str], set[str]] = {}
    for kind in _below(Failure):
        spoken = any(f"{kind.__module__}.".startswith(f"{package}.") for package in _SPOKEN)
        meaning = " ".join((kind.__doc__ or "").split("\n\n")[0].split()).replace("|", r"\|")
        if spoken and kind.code != "failure" and "Base of every" not in meaning:
            found.setdefault((kind.disposition.value, kind.code), set()).add(meaning)
    order = [Disposition.REJECT.value, Disposition.RETRY.value, Disposition.HALT.value]
    rows = sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    lines = ["| code | disposition | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{code}` | {how} | {' / '.join(sorted(meanings))} |" for (how, code), meanings in rows]
    return "\n".join(lines)


def rejections() -> str:
    """The codes of what is rejected, one a line: `schemas.failure_codes` reads them."""
    return "\n".join(re.findall(r"^\| `([a-z_]+)` \| reject ", failure_codes(), re.MULTILINE))


PARTS: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "schemas/SPEC.md": {**tables(), "progress": progress_diagram, "failures": failure_codes},
    "schemas/failure-codes.txt": {"failure-codes": rejections},
}


def renewed(document: str) -> str:
    """The text of a document with its parts made anew.

    Raises:
        KeyError: it has a mark that nothing makes.
    """
    makers = PARTS[document]
    text = (ROOT / document).read_text(encoding="utf-8")
    return _PART.sub(lambda part: f"{part[1]}{makers[part['name']]()}\n{part[3]}", text)


def marked(document: str) -> list[str]:
    """The names of the parts that a document has, in order."""
    return [part["name"] for part in _PART.finditer((ROOT / document).read_text(encoding="utf-8"))]


def main() -> None:
    """Write every document that differs."""
    for document in PARTS:
        text = renewed(document)
        if (ROOT / document).read_text(encoding="utf-8") != text:
            (ROOT / document).write_text(text, encoding="utf-8")
            print(document)


def _below(kind: type[Failure]) -> Iterator[type[Failure]]:
    yield kind
    for sub in kind.__subclasses__():
        yield from _below(sub)


def _load(package: str) -> None:
    path = getattr(importlib.import_module(package), "__path__", ())
    for found in pkgutil.walk_packages(path, f"{package}."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)


if __name__ == "__main__":
    main()
