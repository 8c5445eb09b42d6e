"""Why a connection could not be made or did not hold, in words of our own.

Owns those words: they go into log lines (`schemas.logfields.REASON`), to the doctor and to an operator, so nothing that
a peer or a library said is among them. Refuses to know what is done about it, but for one distinction: whether the
server refuses what we show it, so that trying soon again changes nothing.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import Final

import nats.errors

from broker.node.bus.wire import NotAWebSocket, ProxyAway, ProxyRefused


@dataclass(frozen=True, slots=True)
class Reason:
    """What went wrong."""

    words: str
    is_refusal: bool = False
    """The server does not take our credentials, or more of them than it allows: a person has to do something."""


NOT_ADMITTED: Final = Reason("the server does not admit us - our account or key is unknown there", is_refusal=True)
NOT_PERMITTED: Final = Reason("a subscription is not permitted to us", is_refusal=True)
NO_ANSWER: Final = Reason("the server did not answer in time")
TOO_SLOW: Final = Reason("the server was too slow to admit us")
ADMITS_ANYBODY: Final = Reason("the server asks nobody for credentials - it is not set up as the bus")
TAKES_TOO_LITTLE: Final = Reason("the server takes smaller messages than ours")
UNUSABLE: Final = Reason("our own credentials are incomplete", is_refusal=True)

_WENT_DEAD: Final = Reason("the link went dead")
_CLOSED: Final = Reason("the server closed the connection")
_UNKNOWN_PROTOCOL: Final = Reason("the server does not speak NATS as we know it")

_SAID: Final = (
    ("authorization violation", NOT_ADMITTED),
    ("authentication timeout", TOO_SLOW),
    ("user authentication expired", Reason("our JWT was at its end")),
    ("account authentication expired", Reason("the JWT of our account has expired", is_refusal=True)),
    ("user authentication revoked", Reason("our key was revoked", is_refusal=True)),
    ("maximum connections exceeded", Reason("the server is full")),
    (
        "maximum account active connections exceeded",
        Reason("our account may hold no more connections - or it is suspended", is_refusal=True),
    ),
    ("maximum subscriptions exceeded", Reason("our account may hold no more subscriptions", is_refusal=True)),
    ("maximum payload violation", Reason("a message was larger than the server takes")),
    ("permissions violation", NOT_PERMITTED),
    ("slow consumer", Reason("we took messages in too slowly")),
    ("stale connection", _WENT_DEAD),
    ("secure connection", Reason("the server asks for TLS")),
)
"""What nats-server 2.15 says before it cuts a client, in small letters, as nats-py gives it."""

_VERIFICATION: Final = {
    9: Reason("the certificate of the server is not valid yet - check the clock"),
    10: Reason("the certificate of the server has expired - the hub writes another by broker bus config"),
    62: Reason("the certificate of the server is for another host name"),
    64: Reason("the certificate of the server is for another address"),
    **dict.fromkeys(
        (2, 18, 19, 20, 21), Reason("the certificate of the server is not from an authority that we trust")
    ),
}
"""OpenSSL's X509_V_ERR_ numbers."""
_REFUSED_CERTIFICATE: Final = Reason("the server refuses our certificate", is_refusal=True)
_NOT_TLS: Final = Reason("the server does not begin with TLS")
_TLS: Final = (
    ("CERTIFICATE_EXPIRED", Reason("the server refuses our certificate as expired", is_refusal=True)),
    ("CERTIFICATE", _REFUSED_CERTIFICATE),
    ("UNKNOWN_CA", _REFUSED_CERTIFICATE),
    ("ACCESS_DENIED", _REFUSED_CERTIFICATE),
    ("DECRYPT_ERROR", _REFUSED_CERTIFICATE),
    ("PROTOCOL_VERSION", Reason("the server does not offer a TLS as new as ours")),
    ("UNSUPPORTED_PROTOCOL", Reason("the server does not offer a TLS as new as ours")),
    ("WRONG_VERSION_NUMBER", _NOT_TLS),
    ("RECORD_LAYER_FAILURE", _NOT_TLS),
    ("PACKET_LENGTH_TOO_LONG", _NOT_TLS),
)
"""Parts of OpenSSL's names for what ended a handshake, the alerts of the peer among them."""
_PROXY: Final = {
    0: Reason("the proxy does not speak HTTP as we know it"),
    407: Reason("the proxy asks for credentials - it has to let us through without"),
    502: Reason("the proxy does not reach the server"),
    503: Reason("the proxy does not reach the server"),
    504: Reason("the proxy does not reach the server"),
}


def reason_for(problem: BaseException) -> Reason:
    """Say what went wrong in words that are safe to log."""
    if isinstance(problem, OSError) and not isinstance(problem, TimeoutError):
        return _of_network(problem)
    if isinstance(problem, TimeoutError | nats.errors.TimeoutError):
        return NO_ANSWER
    if isinstance(problem, nats.errors.UnexpectedEOF):  # a subclass of one further down
        return _CLOSED
    if isinstance(problem, nats.errors.StaleConnectionError):
        return _WENT_DEAD
    if isinstance(problem, nats.errors.AuthorizationError):
        return NOT_ADMITTED
    if isinstance(problem, nats.errors.Error):
        said = str(problem).lower()
        if said == "nats: empty response from server when expecting info message":
            return _CLOSED
        return next((reason for words, reason in _SAID if words in said), _UNKNOWN_PROTOCOL)
    return Reason(f"the connection failed with {type(problem).__name__}")


def _of_network(problem: OSError) -> Reason:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return _VERIFICATION.get(problem.verify_code, Reason("the certificate of the server does not hold"))
    if isinstance(problem, ssl.SSLError):
        named = problem.reason or ""
        return next((reason for part, reason in _TLS if part in named), Reason("the TLS of the server does not hold"))
    if isinstance(problem, ProxyAway):
        is_unknown = isinstance(problem.behind, socket.gaierror)
        return Reason("the host name of the proxy is not known" if is_unknown else "the proxy is not there")
    if isinstance(problem, ProxyRefused):
        return _PROXY.get(problem.status, Reason("the proxy refuses to connect us there"))
    if isinstance(problem, NotAWebSocket):
        return Reason("no WebSocket is spoken there")
    if isinstance(problem, socket.gaierror):
        return Reason("the host name is not known")
    if isinstance(problem, ConnectionRefusedError):
        return Reason("nothing listens on that port")
    return Reason("the connection broke")
