"""Reply tokens lead back to subjects, once, and no more of them than the bound."""

from __future__ import annotations

from broker.node.bus.unheard import UnheardWatch


def test_a_token_leads_back_to_its_subject_once() -> None:
    watch = UnheardWatch()
    first, second = watch.expect("to.a"), watch.expect("to.b")
    assert watch.resolve(second) == "to.b"
    assert watch.resolve(second) is None
    assert watch.resolve(first) == "to.a"
    assert watch.resolve("never made") is None


def test_over_the_bound_the_oldest_is_forgotten() -> None:
    watch = UnheardWatch(outstanding_at_most=2)
    tokens = [watch.expect(f"to.{number}") for number in range(3)]
    assert [watch.resolve(token) for token in tokens] == [None, "to.1", "to.2"]


def test_tokens_do_not_count_what_is_sent() -> None:
    watch = UnheardWatch()
    tokens = [watch.expect("to.a") for _ in range(50)]
    assert len(set(tokens)) == 50
    assert tokens != sorted(tokens)
