"""What is handed out to a data subject: plain text, and the same as JSON, both to be read without this program.

Has what was asked when of whom on which basis, and what came of it. Has no name of anybody: not the subject's, so that
a page that is lost tells less; not an officer's, another subject's or a third party's, because none comes this far. The
same sentence on what is left out stands in every extract, so that it tells nothing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from itertools import zip_longest
from typing import Any, Final

from broker.client.extract.searching import Search, Shared
from broker.policy.legal import BASES_FILE, read_bases

_ABOUT: Final = (
    "The hub asks agencies what they know, for the protection of children and adults. Each time stands in its sharing "
    "log. Here are those in which you are one of the people it was about.",
    "What an agency answered in words is not in the log: ask that agency, or the hub, for it.",
)
_NOTES: Final = (
    "It was searched for the names, date of birth and identifiers that you gave, exactly as they were given. Where "
    "your name was written in another way it was not found: tell the hub, and it is searched again.",
    "The law makes the hub leave out what would be likely to cause serious harm to somebody, and what is about other "
    "people, unless they agree or it is reasonable to tell it (Data Protection Act 2018, Schedules 2 and 3). This "
    "sentence stands in every extract.",
    "*Not known* says that nobody was found by what the agency was told. It does not prove that the agency holds "
    "nothing about you.",
    "What a request was about is erased when its time is over; such requests are no longer found.",
    "You may ask the hub to correct or erase data, may object, and may complain to the Information Commissioner: "
    "ico.org.uk, 0303 123 1113.",
)
_LINE: Final = 100
"""Characters a line: what fits on a printed page."""
_NAME: Final = 22


def extract_of(found: Sequence[Shared], search: Search, made_at: int) -> dict[str, Any]:
    """The extract as JSON members.

    Args:
        found: the exchanges that are handed out.
    """
    titles = _titles()
    notes = list(_NOTES)
    if search.unread:
        notes.append(f"Of all requests in the hub's log, {search.unread} could not be opened and were not searched.")
    return {
        "title": f"Extract of the sharing log of the hub {search.hub}",
        "made_at": _at_text(made_at),
        "what_this_is": list(_ABOUT),
        "exchanges": [_exchange(one, titles) for one in found],
        "what_else_you_should_know": notes,
    }


def page_of(extract: Mapping[str, Any]) -> str:
    """The extract as text."""
    lines = [extract["title"].upper(), f"made {extract['made_at']}", ""]
    for paragraph in extract["what_this_is"]:
        lines += [*_wrapped(paragraph), ""]
    if not extract["exchanges"]:
        lines += ["There is nothing in this extract.", ""]
    for at, one in enumerate(extract["exchanges"], 1):
        lines.append(f"{at}. {one['asked_at']}: {one['agency']}")
        for name, value in one.items():
            if name in ("asked_at", "agency"):
                continue
            parts = value if isinstance(value, list) else [value]
            rows = [row for part in parts for row in _wrapped(part, _NAME + 3)]
            lines += [f"   {label:{_NAME}}{row}" for label, row in zip_longest([_plain(name)], rows, fillvalue="")]
        lines.append("")
    lines.append("WHAT ELSE YOU SHOULD KNOW")
    for note in extract["what_else_you_should_know"]:
        lines += ["", *_wrapped(note)]
    return "\n".join([*lines, ""])


def _exchange(one: Shared, titles: Mapping[str, str]) -> dict[str, Any]:
    return {
        "asked_at": _at_text(one.asked_at),
        "agency": one.agency,
        "you_are_in_it_as": [_plain(role) for role in one.about_as],
        "asked_about": list(one.asked) or ["not kept"],
        "purpose": _plain(one.purpose) or "not kept",
        "stage": _plain(one.stage),
        "legal_basis": [f"{titles[code]} ({code})" for code in one.bases] or ["not kept"],
        "how_it_ended": one.ended,
        "what_came_of_it": [_plain(row) for row in one.outcomes] or ["nothing"],
        "reference": one.exchange,
    }


def _titles() -> dict[str, str]:
    raw = (resources.files("broker.policy") / "reference" / BASES_FILE).read_bytes()
    return {str(code): basis.title for code, basis in read_bases(raw, {}).items()}


def _plain(word: str) -> str:
    return word.replace("_", " ")


def _wrapped(text: str, less: int = 0) -> list[str]:
    return textwrap.wrap(text, _LINE - less, break_long_words=False, break_on_hyphens=False)


def _at_text(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
