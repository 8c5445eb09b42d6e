"""What a failed connection is called in the log."""

from __future__ import annotations

import nats.errors
import pytest

from broker.node.bus.dialling import reason_for


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (ConnectionRefusedError(111, "for alice"), "nothing listens on that port"),
        (ConnectionResetError("alice"), "the connection broke"),
        (TimeoutError(), "the server did not answer in time"),
        (nats.errors.FlushTimeoutError(), "the server did not answer in time"),
        (nats.errors.UnexpectedEOF(), "the server closed the connection"),
        (nats.errors.StaleConnectionError(), "the link went dead"),
        (nats.errors.AuthorizationError(), "authorization violation"),
        (nats.errors.Error("nats: 'Maximum Connections Exceeded' by alice"), "maximum connections exceeded"),
        (nats.errors.Error("nats: alice"), "the server does not speak NATS as we know it"),
        (ValueError("alice"), "the connection failed with ValueError"),
    ],
)
def test_a_reason_is_one_of_our_own_words_and_never_a_strangers_text(problem: Exception, reason: str) -> None:
    assert reason_for(problem) == reason
