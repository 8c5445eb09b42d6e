"""What the lead's program asks the coordinator for: much at once, all of it, and no more than it is given."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from broker.client.extract import reading
from broker.client.extract.reading import AnswerShort, addenda, log_pages

KEPT = {f"{at:064x}": f"addendum {at}".encode() for at in range(7)}
ERASED = "f" * 64


class Coordinator:
    """Gives so many addenda in one answer, and entries that are of two types in turn."""

    def __init__(self, holds: int) -> None:
        self.holds = holds
        self.asked: list[int] = []

    def __call__(self, command: str, arguments: Mapping[str, Any]) -> Any:
        if command == "log":
            indexes = range(arguments["start"], arguments["start"] + arguments["limit"])
            self.asked.append(len(indexes))
            return {"entries": [{"index": at, "entry": {"type": ("request", "read")[at % 2]}} for at in indexes]}
        self.asked.append(len(arguments["sha256"]))
        given = {one: KEPT.get(one) for one in arguments["sha256"][: self.holds]}
        return {"addenda": {one: raw and b64encode(raw).decode() for one, raw in given.items()}}


@pytest.mark.parametrize(("holds", "questions"), [(4, [4, 4, 1]), (3, [4, 4, 3]), (1, [4, 4, 4, 4, 4, 4, 3, 2, 1])])
def test_every_addendum_is_given_in_its_place_however_few_an_answer_holds(
    monkeypatch: pytest.MonkeyPatch, holds: int, questions: list[int]
) -> None:
    monkeypatch.setattr(reading, "ADDENDA", 4)
    coordinator, digests = Coordinator(holds), [*KEPT, ERASED, next(iter(KEPT))]
    assert list(addenda(coordinator, digests)) == [KEPT.get(one) for one in digests]
    assert coordinator.asked == questions


def test_an_answer_without_any_of_them_ends_the_search() -> None:
    with pytest.raises(AnswerShort):
        list(addenda(Coordinator(0), list(KEPT)))


def test_the_log_is_read_in_pages_up_to_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 4)
    coordinator = Coordinator(0)
    pages = [[one["index"] for one in page] for page in log_pages(coordinator, 10, {"request"})]
    assert (pages, coordinator.asked) == ([[0, 2], [4, 6], [8]], [4, 4, 2])
