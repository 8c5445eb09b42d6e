"""What an implementation of `RecordSource` brings to the contract suite.

Put a module `rig_<agency>.py` in this folder with a function `rigs(tmp_path) -> Iterator[SourceRig]`; the suite runs on
every one. `tmp_path` is the test's own folder, fresh each time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agents.runtime.source import PersonQuery, RecordSource
from schemas.vocabulary import Category


@dataclass(frozen=True)
class SourceRig:
    """A source on known contents, and what those contents are."""

    name: str
    source: RecordSource
    known: PersonQuery
    """Somebody the source holds, asked for in full: names, date of birth, an identifier."""
    unknown: PersonQuery
    """Somebody it does not hold."""
    held: Category
    """A category of which the known person has at least one finding that holds."""
    empty: Category
    """A category of which the known person has none."""
    broken: Category
    """A category of which the known person has one record that does not hold and at least one that does."""
    take_away: Callable[[], None]
    """Make the system behind the source unreachable."""
    snapshot: Callable[[], object]
    """Everything the system behind holds, to be compared before and after."""
