"""The folder of resources that probation's system puts down: each file read whole, kept until it changes.

Files are opened for reading alone and never through a link. A file that is missing or being written is away; one that
is finished and is no JSON of its shape is broken, and the categories read from others go on. Refuses to know what the
resources say.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NoReturn

from agents.runtime.exports.folder import Stamp, is_settled, open_files, stamp_of
from agents.runtime.source import SourceAway
from broker.node.clock import Clock

RESOURCES: Final = (
    "persons",
    "addresses",
    "person-responsible-officer",
    "offences",
    "sentences",
    "licences",
    "dynamic-risks",
    "status-information",
    "risks",
    "mappadetail",
    "risk-management-plan",
    "contact-events",
)
"""The files, less `.json`; named for the resources of the HMPPS External API."""
FILE_MAX_BYTES: Final = 512 * 1024 * 1024
"""Some ten times the contact log of the largest region; more would not fit the memory of an agent."""


class ResourceBroken(Exception):
    """A file is finished and is not JSON of the shape that is read. Carries the file's name and nothing of it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}.json does not hold")
        self.name = name


@dataclass(frozen=True, slots=True)
class Resource:
    """One version of a file: what it holds by CRN, or nothing where it is broken."""

    stamp: Stamp
    by_crn: Mapping[str, Any] | None


class Folder:
    """The files as they are now. Used by several threads at once."""

    def __init__(self, path: Path, settle: timedelta, clock: Clock) -> None:
        self._path: Final = path
        self._settle: Final = settle
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._kept: Final[dict[str, Resource]] = {}

    def read(self, name: str) -> Mapping[str, Any]:
        """What a resource holds now, by CRN; the very same object as long as the file has not changed.

        Raises:
            SourceAway: the file is missing, cannot be read, or is being written.
            ResourceBroken: it is finished and does not hold.
        """
        with self._lock:
            kept = self._kept.get(name)
            try:
                stamp = stamp_of(os.lstat(self._path / f"{name}.json"))
                if kept is None or kept.stamp != stamp:
                    kept = self._kept[name] = self._read(name, stamp)
            except OSError as error:
                self._kept.pop(name, None)
                raise SourceAway(f"{name}.json cannot be read ({type(error).__name__})") from None
            except SourceAway as away:
                self._kept.pop(name, None)
                raise SourceAway(f"{name}.json: {away.detail}") from None
        if kept.by_crn is None:
            raise ResourceBroken(name)
        return kept.by_crn

    def look(self) -> tuple[Mapping[str, int], Sequence[str]]:
        """How many people each file holds something of, and what is wrong with which file, in words.

        Raises:
            SourceAway: the folder itself cannot be read.
        """
        try:
            os.scandir(self._path).close()
        except OSError as error:
            raise SourceAway(f"the folder of resources cannot be read ({type(error).__name__})") from None
        counts: dict[str, int] = {}
        problems: list[str] = []
        for name in RESOURCES:
            try:
                counts[name] = len(self.read(name))
            except SourceAway as away:
                problems.append(away.detail)
            except ResourceBroken as broken:
                problems.append(f"{broken}; export it again")
        return counts, problems

    def _read(self, name: str, stamp: Stamp) -> Resource:
        file = f"{name}.json"
        with open_files(self._path, {file: stamp}) as files:
            raw = files.read(file, 0, min(stamp.size_bytes, FILE_MAX_BYTES + 1))
        by_crn = _parsed(raw) if len(raw) <= FILE_MAX_BYTES else None
        if by_crn is None and not is_settled([stamp], self._settle, self._clock):
            raise SourceAway("it is being written")
        return Resource(stamp, by_crn)


def _parsed(raw: bytes) -> Mapping[str, Any] | None:
    """One JSON object; nothing where it is none, or says a key twice: the second would hide the first."""
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key twice")
    return members


def _refuse(_: str) -> NoReturn:
    raise ValueError("not a number of JSON")
