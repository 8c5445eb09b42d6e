"""Reading a common transfer file, pupil by pupil, without believing it: no entities, nothing external, limits.

A file that is not well-formed has no pupils that could be told from those it lost. Refuses to know what a pupil is.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final
from xml.etree import ElementTree

from defusedxml import ElementTree as Defused  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

from agents.education.node import Node, clean_line

FILE_MAX_BYTES: Final = 128 * 1024 * 1024
"""Some thirty times the transfer file of the largest school."""
DEPTH_MAX: Final = 32
"""The transfer file nests eight deep."""
PUPIL_MAX_BYTES: Final = 1024 * 1024
"""A pupil is some 2 kB; one with a document in it is not read."""


class TransferBroken(Exception):
    """A file is no transfer file that can be read to its end. Says what is wrong and nothing of what it holds."""


@dataclass(frozen=True, slots=True)
class SourceSchool:
    """Which school a file is of."""

    number: str
    """Authority and establishment number together."""
    name: str | None


def read_pupils(file: IO[bytes]) -> Iterator[tuple[SourceSchool, Node]]:
    """The school and each pupil of a file; the node holds until the next is asked for.

    Raises:
        TransferBroken: it is not XML, nests too deep, declares entities, or names no school.
    """
    school: SourceSchool | None = None
    path: list[ElementTree.Element] = []
    try:
        for event, element in Defused.iterparse(file, events=("start", "end"), forbid_dtd=True):
            if event == "start":
                path.append(element)
                if len(path) > DEPTH_MAX or path[0].tag != "CTfile":
                    raise TransferBroken("is no common transfer file")
                continue
            path.pop()
            names = [one.tag for one in path]
            if names == ["CTfile"] and element.tag == "Header":
                school = _school(Node(element))
            elif names == ["CTfile", "CTFpupilData"] and element.tag == "Pupil":
                if school is None:
                    raise TransferBroken("names no school before its pupils")
                yield school, Node(element)
                path[-1].clear()
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise TransferBroken(f"cannot be read to its end ({type(error).__name__})") from None
    if school is None:
        raise TransferBroken("names no school")


def pack(pupil: Node) -> bytes:
    """A pupil, small enough to be kept for everybody.

    Raises:
        TransferBroken: it is too large.
    """
    written = ElementTree.tostring(pupil.element, encoding="utf-8")
    if len(written) > PUPIL_MAX_BYTES:
        raise TransferBroken("has a pupil that is too large")
    return zlib.compress(written, 6)


def unpack(packed: bytes) -> Node:
    """The pupil that was packed."""
    element: Any = Defused.fromstring(zlib.decompress(packed), forbid_dtd=True)
    return Node(element)


def _school(header: Node) -> SourceSchool:
    authority, school = header.line("SourceSchool/LEA"), header.line("SourceSchool/Estab")
    if not authority or not school:
        raise TransferBroken("names no school")
    return SourceSchool(f"{authority}{school}", clean_line(header.line("SourceSchool/SchoolName")))
