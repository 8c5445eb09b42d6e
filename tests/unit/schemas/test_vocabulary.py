"""The closed lists: plain words, no two alike."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest

from schemas import vocabulary

LISTS = [kind for kind in vars(vocabulary).values() if isinstance(kind, type) and issubclass(kind, StrEnum)]


@pytest.mark.parametrize("words", [kind for kind in LISTS if kind is not StrEnum])
def test_every_word_is_plain_and_stands_once(words: type[StrEnum]) -> None:
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,63}", word) for word in words)
    assert len({word.replace("-", "_") for word in words}) == len(words.__members__)
