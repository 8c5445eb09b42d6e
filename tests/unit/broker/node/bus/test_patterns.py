"""NATS's subject grammar, and which subscription hears which subject."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.node.bus.patterns import MAX_SUBJECT_BYTES, check_pattern, check_subject, hears, is_in_account
from broker.node.bus.port import BadSubject

_word = st.text(alphabet="abAB01-_*", min_size=1, max_size=4).filter(lambda word: "*" not in word)
_subject = st.lists(_word, min_size=1, max_size=5).map(".".join)


@pytest.mark.parametrize(
    ("pattern", "subject", "expected"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("a.b", "a.b.c", False),
        ("a.b.c", "a.b", False),
        ("a.*", "a.b", True),
        ("a.*", "a", False),
        ("a.*", "a.b.c", False),
        ("*.b", "a.b", True),
        ("a.>", "a.b", True),
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        (">", "a", True),
        ("*.>", "a", False),
        ("A", "a", False),
    ],
)
def test_a_pattern_hears_what_nats_would_deliver_to_it(pattern: str, subject: str, expected: bool) -> None:
    assert hears(pattern, subject) is expected


@given(_subject)
def test_every_subject_is_heard_by_itself_and_by_everything(subject: str) -> None:
    check_subject(subject)
    check_pattern(subject)
    assert hears(subject, subject)
    assert hears(">", subject)


@given(_subject, st.data())
def test_a_star_in_place_of_any_token_hears_the_subject_still(subject: str, data: st.DataObject) -> None:
    words = subject.split(".")
    words[data.draw(st.integers(0, len(words) - 1))] = "*"
    pattern = ".".join(words)
    check_pattern(pattern)
    assert hears(pattern, subject)


@given(st.text(max_size=8))
def test_a_text_is_either_a_subject_of_printable_tokens_or_refused_without_quoting_it(text: str) -> None:
    is_plain = all(
        word and all("!" <= letter <= "~" and letter not in "*>" for letter in word) for word in text.split(".")
    )
    if is_plain:
        check_subject(text)
        return
    with pytest.raises(BadSubject) as refusal:
        check_subject(text)
    assert refusal.value.detail in (
        "an empty token, or a character that is not printable ASCII",
        "a wildcard in a subject to publish to",
    )


def test_a_subject_longer_than_the_limit_is_refused() -> None:
    check_subject("a" * MAX_SUBJECT_BYTES)
    with pytest.raises(BadSubject):
        check_subject("a" * (MAX_SUBJECT_BYTES + 1))


@pytest.mark.parametrize(
    ("pattern", "is_in"),
    [
        ("to.A" + "B" * 55 + ".>", True),
        ("to.A" + "C" * 55 + ".>", False),
        ("to.northshire.>", True),
        ("from.*.desk", True),
        ("hub.desk", True),
        (">", True),
    ],
)
def test_only_another_accounts_subject_is_not_in_an_account(pattern: str, is_in: bool) -> None:
    assert is_in_account(pattern, "A" + "B" * 55) is is_in
