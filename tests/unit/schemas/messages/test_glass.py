"""How long a glass is broken at most: read from a version's files, and from nothing that does not hold."""

from __future__ import annotations

import pytest

from broker.policy.packs import load_pack, names
from schemas.messages.glass import GlassNotAgreed, GlassTerms, check_glass_lasts, glass_terms
from tests.support.policies import england_files

TERMS = GlassTerms(at_most_hours=6, review_within_hours=48)


def read(text: bytes) -> GlassTerms | None:
    return glass_terms({"agreements.toml": text})


def test_hours_are_read_from_the_agreements_of_a_version() -> None:
    assert read(b"[break_glass]\nat_most_hours = 6\nreview_within_hours = 48\n") == TERMS


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[break_glass]\n",
        b"[break_glass]\nat_most_hours = 25\nreview_within_hours = 48\n",
        b"[break_glass]\nat_most_hours = 6\nreview_within_hours = 121\n",
        b"[break_glass]\nat_most_hours = 6.0\nreview_within_hours = 48\n",
        b"[break_glass]\nat_most_hours = 6\nreview_within_hours = 48\nother = 1\n",
        b"break_glass = 6\n",
        b"not toml",
        b"\xff",
    ],
)
def test_what_does_not_hold_lets_no_glass_be_broken(text: bytes) -> None:
    assert read(text) is None
    with pytest.raises(GlassNotAgreed, match="no glass is broken"):
        check_glass_lasts(1, read(text))


def test_a_version_without_agreements_lets_no_glass_be_broken() -> None:
    assert glass_terms({}) is None


def test_a_glass_lasts_to_the_last_moment_that_is_agreed_and_no_longer() -> None:
    check_glass_lasts(TERMS.at_most_ms, TERMS)
    with pytest.raises(GlassNotAgreed, match="6 hours at most"):
        check_glass_lasts(TERMS.at_most_ms + 1, TERMS)


@pytest.mark.parametrize("name", names())
def test_the_packs_that_come_with_the_program_say_what_both_ends_read_alike(name: str) -> None:
    assert load_pack(name).glass == GlassTerms(at_most_hours=24, review_within_hours=120)
    assert glass_terms(england_files().whole) == GlassTerms(at_most_hours=24, review_within_hours=120)
