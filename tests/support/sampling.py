"""Which of many cases are tried in every run of the tests; the others are tried in the soak."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.mark.structures import ParameterSet


def every(step: int, values: Iterable[object]) -> list[ParameterSet]:
    """The values as parameters: each `step`-th of them always, the rest in the soak alone."""
    marks: tuple[tuple[pytest.MarkDecorator, ...], ...] = ((), (pytest.mark.soak,))
    cases = (value if isinstance(value, tuple) else (value,) for value in values)
    return [pytest.param(*case, marks=marks[at % step != 0]) for at, case in enumerate(cases)]
