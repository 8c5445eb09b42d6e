"""One thing the doctor tried: well, worth a word, or failed. Knows nothing of what is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from schemas.failures import Failure


class State(StrEnum):
    """How a thing stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


class NotWell(Failure):
    """Something that is needed is missing; the text says what to do."""

    code = "not_well"


@dataclass(frozen=True, slots=True)
class Warned:
    """A check that holds today, and what to do before it does not."""

    said: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was tried."""

    what: str
    state: State
    said: str

    @property
    def is_well(self) -> bool:
        """Whether it holds today."""
        return self.state is not State.FAIL

    def shown(self) -> dict[str, object]:
        """As JSON: `well` is false for a failure only."""
        return {
            "check": self.what,
            "well": self.is_well,
            "warning": self.state is State.WARN,
            "said": self.said,
        }


def tried(what: str, check: Callable[[], str | Warned]) -> Checked:
    """What came of a check; a check that breaks is a failure of its own and hides no other."""
    try:
        said = check()
    except Failure as failure:
        return Checked(what, State.FAIL, f"{failure.detail or failure.code} [{failure.code}]")
    except OSError as error:
        return Checked(what, State.FAIL, f"{error.filename or 'a file'} cannot be read ({error.strerror})")
    if isinstance(said, Warned):
        return Checked(what, State.WARN, said.said)
    return Checked(what, State.OK, said)


def as_text(found: Iterable[Checked]) -> str:
    """A line for each, the names of what was tried in a column."""
    lines = list(found)
    width = max((len(one.what) for one in lines), default=0)
    return "\n".join(f"{one.state.value:4}  {one.what:<{width}}  {one.said}" for one in lines)
