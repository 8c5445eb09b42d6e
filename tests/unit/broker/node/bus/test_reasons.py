"""What a failed connection is called in the log."""

from __future__ import annotations

import socket
import ssl

import nats.errors
import pytest

from broker.node.bus import reasons
from broker.node.bus.reasons import NOT_ADMITTED, Reason, reason_for
from broker.node.bus.wire import ProxyAway, ProxyRefused
from schemas.logfields import may_be_logged


def _tls(name: str) -> ssl.SSLError:
    problem = ssl.SSLError(1, f"[SSL: {name}] of alice")
    problem.reason = name
    return problem


def _verification(number: int) -> ssl.SSLCertVerificationError:
    problem = ssl.SSLCertVerificationError(1, "alice")
    problem.verify_code = number
    return problem


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (ConnectionRefusedError(111, "for alice"), "nothing listens on that port"),
        (ConnectionResetError("alice"), "the connection broke"),
        (socket.gaierror(-2, "alice"), "the host name is not known"),
        (TimeoutError(), "the server did not answer in time"),
        (nats.errors.FlushTimeoutError(), "the server did not answer in time"),
        (nats.errors.UnexpectedEOF(), "the server closed the connection"),
        (nats.errors.StaleConnectionError(), "the link went dead"),
        (nats.errors.Error("nats: 'Maximum Connections Exceeded' by alice"), "the server is full"),
        (nats.errors.Error("nats: 'User Authentication Expired'"), "our JWT was at its end"),
        (nats.errors.SecureConnRequiredError(), "the server asks for TLS"),
        (nats.errors.Error("nats: alice"), "the server does not speak NATS as we know it"),
        (_verification(10), "the certificate of the server has expired - the hub writes another by broker bus config"),
        (_verification(62), "the certificate of the server is for another host name"),
        (_verification(20), "the certificate of the server is not from an authority that we trust"),
        (_verification(99), "the certificate of the server does not hold"),
        (_tls("WRONG_VERSION_NUMBER"), "the server does not begin with TLS"),
        (_tls("TLSV1_ALERT_PROTOCOL_VERSION"), "the server does not offer a TLS as new as ours"),
        (_tls("ALICE"), "the TLS of the server does not hold"),
        (ProxyAway(ConnectionRefusedError(111, "for alice")), "the proxy is not there"),
        (ProxyAway(socket.gaierror(-2, "alice")), "the host name of the proxy is not known"),
        (ProxyRefused(403), "the proxy refuses to connect us there"),
        (ProxyRefused(407), "the proxy asks for credentials - it has to let us through without"),
        (ValueError("alice"), "the connection failed with ValueError"),
    ],
)
def test_a_reason_is_one_of_our_own_words_and_never_a_strangers_text(problem: Exception, words: str) -> None:
    assert reason_for(problem) == Reason(words)


@pytest.mark.parametrize(
    "problem",
    [
        nats.errors.AuthorizationError(),
        nats.errors.Error("nats: 'Account Authentication Expired'"),
        nats.errors.Error("nats: 'User Authentication Revoked'"),
        nats.errors.Error("nats: 'maximum account active connections exceeded'"),
        _tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"),
        _tls("SSLV3_ALERT_CERTIFICATE_EXPIRED"),
        _tls("TLSV1_ALERT_UNKNOWN_CA"),
    ],
)
def test_a_server_that_refuses_our_credentials_is_told_apart_from_one_that_is_away(problem: Exception) -> None:
    assert reason_for(problem).is_refusal


def test_authorization_violation_says_what_may_be_unknown() -> None:
    assert reason_for(nats.errors.Error("nats: 'Authorization Violation'")) is NOT_ADMITTED
    assert reason_for(nats.errors.AuthorizationError()) is NOT_ADMITTED


def test_every_reason_may_stand_in_a_log_line() -> None:
    listed = [reason for _, reason in (*reasons._SAID, *reasons._TLS)]
    listed += [*reasons._VERIFICATION.values(), *reasons._PROXY.values()]
    listed += [value for value in vars(reasons).values() if isinstance(value, Reason)]
    assert len(listed) > 30
    assert not [reason for reason in listed if not may_be_logged("reason", reason.words)]
