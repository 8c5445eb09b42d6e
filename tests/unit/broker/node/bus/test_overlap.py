"""What is heard on two connections at once, told apart from what was sent twice."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from broker.node.bus.overlap import MESSAGES, Overlap

HEARINGS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([b"a", b"b", b"c"])), max_size=60)


def test_a_message_that_both_connections_hear_is_given_on_once() -> None:
    overlap = Overlap()
    assert overlap.is_first(0, 1, "to.a", b"x")
    assert not overlap.is_first(1, 1, "to.a", b"x")


def test_a_message_that_was_sent_twice_is_given_on_twice_in_whatever_order_it_comes() -> None:
    for sides in ((0, 0, 1, 1), (0, 1, 0, 1), (0, 1, 1, 0), (1, 0, 0, 1)):
        overlap = Overlap()
        assert sum(overlap.is_first(side, 1, "to.a", b"x") for side in sides) == 2


def test_another_subject_another_listener_and_another_payload_are_other_messages() -> None:
    overlap = Overlap()
    assert overlap.is_first(0, 1, "to.a", b"x")
    assert overlap.is_first(1, 1, "to.b", b"x")
    assert overlap.is_first(1, 2, "to.a", b"x")
    assert overlap.is_first(1, 1, "to.a", b"y")


@given(HEARINGS)
def test_each_message_is_given_on_as_often_as_the_connection_that_heard_it_more_often_did(
    hearings: list[tuple[int, bytes]],
) -> None:
    overlap = Overlap()
    given_on = Counter(payload for side, payload in hearings if overlap.is_first(side, 1, "to.a", payload))
    heard = Counter(hearings)
    assert given_on == Counter({p: n for p in (b"a", b"b", b"c") if (n := max(heard[0, p], heard[1, p]))})


def test_the_memory_is_bounded() -> None:
    overlap = Overlap()
    for number in range(MESSAGES + 10):
        overlap.is_first(0, 1, "to.a", b"%d" % number)
    assert len(overlap._counts) == MESSAGES
    assert not overlap.is_first(1, 1, "to.a", b"%d" % MESSAGES)
