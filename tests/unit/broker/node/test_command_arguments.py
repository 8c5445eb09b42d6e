"""The arguments of a command: strict as they came, and refused without repeating what came."""

from __future__ import annotations

from typing import Any

import pytest

from broker.node.command_arguments import Arguments, NoArguments, read_arguments
from broker.node.commands import CommandMalformed
from schemas.vocabulary import Rag


class Asked(Arguments):
    rag: Rag
    word: str = ""
    last: int = 20
    sure: bool = False


def test_a_word_of_a_closed_list_comes_as_text() -> None:
    assert read_arguments(Asked, {"rag": "amber"}) == Asked(rag=Rag.AMBER)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "argument rag: missing"),
        ({"rag": "pink"}, "argument rag: enum"),
        ({"rag": "red", "more": 1}, "argument more: extra_forbidden"),
        ({"rag": "red", "last": "20"}, "argument last: int_type"),
        ({"rag": "red", "last": True}, "argument last: int_type"),
        ({"rag": "red", "sure": 1}, "argument sure: bool_type"),
        ({"rag": "red", "word": None}, "argument word: string_type"),
        ({"rag": "red", "word": "half a pair \ud800"}, "the arguments: json_invalid"),
    ],
)
def test_what_does_not_hold_is_named_by_its_place_and_kind(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(CommandMalformed) as refused:
        read_arguments(Asked, arguments)
    assert refused.value.detail == says


def test_a_command_that_takes_nothing_takes_nothing() -> None:
    assert read_arguments(NoArguments, {}) == NoArguments()
    with pytest.raises(CommandMalformed, match="argument all"):
        read_arguments(NoArguments, {"all": True})
