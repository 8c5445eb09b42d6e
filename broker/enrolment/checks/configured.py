"""Whether a nats-server's configuration file is safe, setting by setting; each finding names the line to change.

What `broker.enrolment.configuration.server` writes passes; what departs from it must be known here to be harmless, or
is found. Refuses to know running servers: `broker.enrolment.checks.running`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.enrolment.checks.reading import ConfigurationUnreadable, Setting, Value, read_configuration
from broker.enrolment.claims.check import ClaimsRefused, Trusted, check_claims
from broker.enrolment.configuration.server import BusIdentity
from broker.enrolment.tls.authority import expires_at
from broker.node.bus.claims import ClaimsInvalid, decode
from broker.node.clock import DAY_MS

EXPIRES_SOON_MS: Final = 30 * DAY_MS

_NOTHING: Final[Mapping[str, Setting]] = {}
_HARMLESS: Final = frozenset(
    [
        "server_name",
        "listen",
        "host",
        "port",
        "max_payload",
        "ping_interval",
        "ping_max",
        "write_deadline",
        "max_connections",
        "max_pending",
        "log_file",
        "logfile",
        "logfile_size_limit",
        "logfile_max_num",
        "logtime",
        "syslog",
        "pid_file",
        "pidfile",
        "ports_file_dir",
        "lame_duck_duration",
        "lame_duck_grace_period",
    ]
)
_CHECKED: Final = frozenset(
    [
        "tls",
        "cluster",
        "websocket",
        "leafnodes",
        "leaf",
        "operator",
        "system_account",
        "resolver",
        "resolver_preload",
        "jetstream",
        "http",
        "https",
        "http_port",
        "https_port",
        "monitor_port",
    ]
)
_TLS: Final = frozenset(
    ["cert_file", "key_file", "ca_file", "verify", "min_version", "timeout", "handshake_first", "pinned_certs"]
)
_ACCEPTS: Final = frozenset(["listen", "host", "port", "tls", "no_advertise", "compression"])
_MONITORING: Final = ("http", "https", "http_port", "https_port", "monitor_port")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something unsafe: where it is, and what to do."""

    where: str
    """A file and line, or a server."""
    said: str
    is_grave: bool = True
    """False for what holds today, and will not for long."""


def check_configuration(path: Path, identity: BusIdentity, *, now: int) -> list[Finding]:
    """What is unsafe in a configuration file and in the files it names, in the order of the file."""
    try:
        settings = read_configuration(path.read_text(encoding="utf-8"))
    except ConfigurationUnreadable as failure:
        return [Finding(str(path), failure.detail)]
    except (OSError, ValueError):
        return [Finding(str(path), "it cannot be read; give the file that the server was started with")]
    found = [*_Check(path, settings).findings(identity, now)]
    return sorted(found, key=lambda finding: int(finding.where.rpartition(":")[2]))


@dataclass(frozen=True, slots=True)
class _Check:
    path: Path
    settings: Mapping[str, Setting]

    def findings(self, identity: BusIdentity, now: int) -> Iterator[Finding]:
        yield from self._names()
        yield from self._tls("the client port", self.settings, now, is_first=True)
        yield from self._accounts(identity, now)
        yield from self._cluster(now)
        for name, is_first in (("websocket", False), ("leafnodes", True), ("leaf", True)):
            if name in self.settings:
                block = _block(self.settings[name].value)
                yield from self._only(block, _ACCEPTS, f"{name}.")
                yield from self._tls(name, block, now, is_first=is_first, line=self.settings[name].line)

    def _names(self) -> Iterator[Finding]:
        yield from self._only(self.settings, _HARMLESS | _CHECKED, "")
        jetstream = self.settings.get("jetstream")
        if jetstream is not None and jetstream.value not in (False, "disabled"):
            yield self._at(jetstream.line, "JetStream is enabled; take it out: nothing rests on the bus")
        for name in _MONITORING:
            setting = self.settings.get(name)
            if setting is not None and not _is_loopback(setting.value):
                yield self._at(
                    setting.line, f"{name} shows accounts to whoever reaches the port; take it out, or 127.0.0.1:port"
                )

    def _tls(
        self, name: str, block: Mapping[str, Setting], now: int, *, is_first: bool, line: int = 1
    ) -> Iterator[Finding]:
        setting = block.get("tls")
        if setting is None:
            yield self._at(line, f"{name} has no tls: everything on it is in plaintext; add the block")
            return
        tls = _block(setting.value)
        yield from self._only(tls, _TLS, f"tls of {name}: ")
        yield from self._must(tls, setting.line, "verify", True, f"{name} takes clients without a certificate")
        yield from self._must(tls, setting.line, "min_version", "1.3", f"{name} takes TLS before 1.3")
        if is_first:
            why = f"TLS-first is off: a client of {name} can be talked into plaintext"
            yield from self._must(tls, setting.line, "handshake_first", True, why)
        for key in ("cert_file", "key_file", "ca_file"):
            if not isinstance(_value(tls, key), str):
                yield self._at(setting.line, f"tls of {name} has no {key}; add it")
        yield from self._files(tls, now)

    def _files(self, tls: Mapping[str, Setting], now: int) -> Iterator[Finding]:
        certificate, key = tls.get("cert_file"), tls.get("key_file")
        if certificate is not None:
            try:
                ends_at = expires_at(Path(str(certificate.value)).read_bytes())
            except (OSError, ValueError):
                yield self._at(certificate.line, "the certificate cannot be read here", is_grave=False)
            else:
                if ends_at <= now:
                    yield self._at(certificate.line, "the certificate has expired; run: broker bus config")
                elif ends_at <= now + EXPIRES_SOON_MS:
                    days = (ends_at - now) // DAY_MS
                    said = f"the certificate ends in {days} days; run: broker bus config"
                    yield self._at(certificate.line, said, is_grave=False)
        if key is not None:
            path = Path(str(key.value))
            if path.exists() and path.stat().st_mode & 0o077:
                yield self._at(key.line, f"{path.name} is open to other users; run: chmod 600 {path}")

    def _cluster(self, now: int) -> Iterator[Finding]:
        setting = self.settings.get("cluster")
        if setting is None:
            return
        block = _block(setting.value)
        yield from self._only(block, _ACCEPTS | {"name", "routes", "pool_size"}, "cluster.")
        yield from self._must(block, setting.line, "no_advertise", True, "servers tell clients of each other")
        yield from self._tls("cluster", block, now, is_first=False, line=setting.line)
        if (tls := block.get("tls")) is not None:
            pins = _value(_block(tls.value), "pinned_certs")
            if not (isinstance(pins, list) and pins):
                yield self._at(tls.line, "no pinned_certs: an agency's certificate would let it in as a server; add it")

    def _accounts(self, identity: BusIdentity, now: int) -> Iterator[Finding]:
        operator = self.settings.get("operator")
        if operator is None:
            yield self._at(1, "no operator: whoever connects is in one account; add the hub's")
        elif not _is_operator(operator.value, identity):
            yield self._at(operator.line, "another bus's operator, or one whose own keys may sign; put in the hub's")
        if _value(self.settings, "system_account") != identity.system:
            yield self._at(self._line("system_account"), "system_account is not the hub's; put it in")
        resolver = self.settings.get("resolver")
        block = _block(resolver.value) if resolver is not None else _NOTHING
        if str(_value(block, "type")).lower() != "full" or "dir" not in block:
            yield self._at(self._line("resolver"), "resolver is not of type full with a dir: accounts do not reach it")
        else:
            line = self._line("resolver")
            yield from self._must(block, line, "interval", "5s", "it takes minutes to learn of an expulsion")
            yield from self._must(block, line, "allow_delete", True, "accounts that ended can never be deleted")
        yield from self._preloaded(identity, now)

    def _preloaded(self, identity: BusIdentity, now: int) -> Iterator[Finding]:
        setting = self.settings.get("resolver_preload")
        block = _block(setting.value) if setting is not None else _NOTHING
        for name, account in ((identity.system, "system account"), (identity.hub, "hub's account")):
            if name not in block:
                yield self._at(
                    self._line("resolver_preload"), f"the {account} is missing from resolver_preload; add it"
                )
        issuers = _issuers(identity)
        for name, claims in block.items():
            if name not in (identity.system, identity.hub):
                yield self._at(claims.line, "an account that admission does not push from here; take it out")
                continue
            try:
                told = decode(str(claims.value))
                if told.subject != name or told.issuer not in issuers:
                    yield self._at(claims.line, "claims of another account, or not issued by the hub's operator")
                elif name == identity.hub:
                    check_claims(str(claims.value), Trusted(identity.hub, issuers), now=now)
            except (ClaimsInvalid, ClaimsRefused) as failure:
                yield self._at(claims.line, f"{failure.detail}; run: broker bus config")

    def _only(self, block: Mapping[str, Setting], known: frozenset[str], where: str) -> Iterator[Finding]:
        for name, setting in block.items():
            if name not in known:
                yield self._at(setting.line, f"{where}{name} is not known to be safe here; take it out")

    def _must(self, block: Mapping[str, Setting], line: int, name: str, value: object, why: str) -> Iterator[Finding]:
        setting = block.get(name)
        if setting is None:
            yield self._at(line, f"{why}; add {name}: {_shown(value)}")
        elif setting.value != value or type(setting.value) is not type(value):
            yield self._at(setting.line, f"{why}; change it to {name}: {_shown(value)}")

    def _line(self, name: str) -> int:
        return self.settings[name].line if name in self.settings else 1

    def _at(self, line: int, said: str, *, is_grave: bool = True) -> Finding:
        return Finding(f"{self.path}:{line}", said, is_grave)


def _block(value: Value) -> Mapping[str, Setting]:
    return value if isinstance(value, Mapping) else _NOTHING


def _value(block: Mapping[str, Setting], name: str) -> Value | None:
    return block[name].value if name in block else None


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def _is_loopback(value: Value) -> bool:
    host = str(value).rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_operator(value: Value, identity: BusIdentity) -> bool:
    try:
        told, ours = decode(str(value)), decode(identity.operator)
    except ClaimsInvalid:
        return False
    return (told.subject, told.issuer, told.body) == (ours.subject, ours.issuer, ours.body)


def _issuers(identity: BusIdentity) -> list[str]:
    return [str(signer) for signer in decode(identity.operator).body["signing_keys"]]
