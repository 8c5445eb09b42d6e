"""A question as Cedar is asked it: who, what, about what, and the context.

Refuses to know what any word of it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias


class Uid(NamedTuple):
    """A Cedar entity: its type and its id."""

    type: str
    id: str


Value: TypeAlias = "bool | int | str | Uid | frozenset[Uid]"
Context: TypeAlias = Mapping[str, Value]
Part: TypeAlias = tuple[str, type, Value]
"""A member of a context: its name, the type of its value, the value. True and 1 are equal in Python, not in Cedar."""
