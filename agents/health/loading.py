"""Reading an export once, line by line, into the index of where everything lies.

A line that cannot be read is somebody's: whose, its references may still say; where they do not, it is anybody's. A
Patient that cannot be read is somebody who cannot be found, so the whole export counts as damaged. Refuses to know what
is told of a resource.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

from agents.health import mapping
from agents.health.elements import split_reference
from agents.health.index import ANYBODY, Index, Place
from agents.health.people import read_links, read_person
from agents.health.resources import Kind
from agents.runtime.exports.folder import OpenFiles, Stamps
from agents.runtime.source import Label, SourceAway

KINDS: Final[tuple[str, ...]] = get_args(Kind)
FILE_NAME: Final = re.compile(rf"({'|'.join(KINDS)})([._-][A-Za-z0-9._-]*)?\.ndjson")
"""`Patient.ndjson`, or `Patient.000.ndjson`, `Patient-1.ndjson`, as bulk exports name several files of one type."""
LINE_MAX_BYTES: Final = 8 * 1024 * 1024
"""A longer line holds a document or a picture, which is not read."""
_SUBJECT_FIELDS: Final[Mapping[str, str]] = {
    "EpisodeOfCare": "patient",
    "Encounter": "subject",
    "Flag": "subject",
    "Condition": "subject",
    "Observation": "subject",
}
_PATIENT_IN_TEXT: Final = re.compile(rb"Patient/([A-Za-z0-9.-]{1,64})")
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")


class _LineBroken(Exception):
    """A line is no resource of its file's type, or does not say whose it is."""


@dataclass(frozen=True, slots=True)
class Loader:
    """Makes an index of an export."""

    patient_labels: Mapping[str, Label]

    def learn(self, stamps: Stamps, files: OpenFiles) -> Index:
        """Read all of it.

        Raises:
            SourceAway: a resource type has no file, or the last line of a file ends in the middle.
        """
        by_kind: dict[str, list[str]] = {kind: [] for kind in KINDS}
        for name in sorted(stamps):
            by_kind[_kind_of(name)].append(name)
        missing = [kind for kind, names in by_kind.items() if not names]
        if missing:
            raise SourceAway(f"the export has no file of {', '.join(missing)}")
        index = Index()
        for kind, names in by_kind.items():
            index.counts[kind] = 0
            for name in names:
                for place, raw in _lines(name, files):
                    if not self._take_in(index, kind, place, raw):
                        ends = place.at_bytes + place.length_bytes == stamps[name].size_bytes
                        if ends and not raw.endswith(b"\n"):
                            raise SourceAway(f"{name} ends in the middle of a line")
                        _take_in_broken(index, kind, place, raw)
        if not index.counts["Patient"]:
            raise SourceAway("the export has not one Patient")
        index.finish(sorted(_ABOUT_PATIENTS))
        return index

    def _take_in(self, index: Index, kind: str, place: Place, raw: bytes) -> bool:
        try:
            resource = _resource(kind, raw)
            keys = set(_keys(kind, resource))
        except _LineBroken:
            return False
        index.counts[kind] += 1
        for key in keys:
            index.add_line(kind, key, place)
        if kind == "Patient":
            ref = str(resource["id"])
            index.add_person(read_person(ref, resource, self.patient_labels), read_links(resource))
        return True


_ABOUT_PATIENTS: Final = frozenset({*_SUBJECT_FIELDS, "Appointment"})


def _take_in_broken(index: Index, kind: str, place: Place, raw: bytes) -> None:
    named = {found.decode() for found in _PATIENT_IN_TEXT.findall(raw)} if kind in _ABOUT_PATIENTS else set()
    for key in named or {ANYBODY}:
        index.add_line(kind, key, replace(place, is_broken=True))
    whose = "of a patient who cannot be found" if kind == "Patient" else "its patient's" if named else "anybody's"
    index.add_problem(f"{place.file}, line {place.line} cannot be read and is {whose}")
    index.is_damaged |= kind == "Patient"


def _kind_of(name: str) -> str:
    shape = FILE_NAME.fullmatch(name)
    assert shape is not None, "the folder gives only names of this form"
    return shape[1]


def _lines(name: str, files: OpenFiles) -> Iterator[tuple[Place, bytes]]:
    at = 0
    with os.fdopen(os.dup(files.descriptor(name)), "rb", buffering=1 << 20) as lines:
        number = 0
        while raw := lines.readline(LINE_MAX_BYTES):
            number += 1
            if raw.strip():
                yield Place(name, number, at, len(raw)), raw
            at += len(raw)


def _resource(kind: str, raw: bytes) -> Mapping[str, Any]:
    try:
        resource = json.loads(raw)
    except (ValueError, RecursionError):
        raise _LineBroken from None
    if not isinstance(resource, dict) or resource.get("resourceType") != kind:
        raise _LineBroken
    if not isinstance(resource.get("id"), str) or _ID.fullmatch(resource["id"]) is None:
        raise _LineBroken
    return resource


def _keys(kind: str, resource: Mapping[str, Any]) -> Iterator[str]:
    """What the resource is found by: the patients it is about, or its own id."""
    if kind == "Appointment":
        participants = resource.get("participant")
        for one in participants if isinstance(participants, list) else ():
            actor = one.get("actor") if isinstance(one, dict) else None
            yield from _patients(actor) if actor is not None else ()
    elif kind in _SUBJECT_FIELDS:
        if _is_wanted(kind, resource):
            yield from _patients(resource.get(_SUBJECT_FIELDS[kind]))
    else:
        yield resource["id"]


def _patients(reference: object) -> Iterator[str]:
    written = reference.get("reference") if isinstance(reference, dict) else None
    led = split_reference(written) if isinstance(written, str) else None
    if led is None:
        raise _LineBroken
    if led[0] == "Patient":
        yield led[1]


def _is_wanted(kind: str, resource: Mapping[str, Any]) -> bool:
    """A trust's export has every pulse taken and every cold diagnosed; two codes of them are needed."""
    wanted = {"Condition": mapping.PREGNANCY, "Observation": mapping.EXPECTED_DELIVERY}.get(kind)
    if wanted is None:
        return True
    code = resource.get("code")
    codings = code.get("coding") if isinstance(code, dict) else None
    return isinstance(codings, list) and any(isinstance(one, dict) and one.get("code") in wanted for one in codings)
