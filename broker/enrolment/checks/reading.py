"""A nats-server's configuration file, read into settings that know their lines.

Owns the grammar, narrowed to what can be judged by reading: no variables, no included files, no raw strings. Refuses to
know what a setting means: `broker.enrolment.checks.configured`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.failures import Rejected

MAX_CONFIG_BYTES: Final = 1024 * 1024
_MAX_DEPTH: Final = 8

_GAP: Final = re.compile(r"(?:[\s,;]|#[^\n]*|//[^\n]*)*")
_KEY: Final = re.compile(r'"([^"\\\n]*)"|\'([^\'\n]*)\'|([A-Za-z0-9_]+)')
_SEPARATOR: Final = re.compile(r"[ \t]*[:=]?[ \t]*")
_QUOTED: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_SINGLE: Final = re.compile(r"'([^'\n]*)'")
_BARE: Final = re.compile(r"[^\s,;{}\[\]\"'#()$]+")
_TRUE: Final = frozenset({"true", "yes", "on"})
_FALSE: Final = frozenset({"false", "no", "off"})


class ConfigurationUnreadable(Rejected):
    """A configuration file that cannot be judged; the text names the line."""

    code = "server_configuration_unreadable"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value, and where it stands."""

    value: Value
    line: int


Value = str | int | bool | list["Value"] | Mapping[str, Setting]


def read_configuration(text: str) -> Mapping[str, Setting]:
    """The settings of a file, by name in small letters.

    Raises:
        ConfigurationUnreadable: not of the grammar, a name twice, or something that cannot be judged by reading.
    """
    if len(text) > MAX_CONFIG_BYTES:
        raise ConfigurationUnreadable("line 1: the file is too large to be a configuration")
    reader = _Reader(text)
    return reader.members(closing="", depth=0)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def members(self, *, closing: str, depth: int) -> dict[str, Setting]:
        found: dict[str, Setting] = {}
        while not self._ends(closing):
            line = self._line()
            match = self._take(_KEY, "a setting's name")
            name = next(group for group in match.groups() if group is not None)
            # The server takes its own names in any case; a preloaded account is a name, too.
            name = name if name.isupper() else name.lower()
            if name == "include":
                raise self._unreadable("an included file cannot be judged from here; put its settings in this one")
            if name in found:
                raise self._unreadable(f"{name} is there twice; the server takes the last")
            self._take(_SEPARATOR, "")
            found[name] = Setting(self._value(depth), line)
        return found

    def _value(self, depth: int) -> Value:
        if depth >= _MAX_DEPTH:
            raise self._unreadable("blocks within too many blocks")
        self._take(re.compile(r"\s*"), "")
        if self._skip("{"):
            return self.members(closing="}", depth=depth + 1)
        if self._skip("["):
            values = []
            while not self._ends("]"):
                values.append(self._value(depth + 1))
            return values
        if match := _QUOTED.match(self._text, self._at):
            self._at = match.end()
            try:
                return str(json.loads(match.group()))
            except ValueError:
                raise self._unreadable("a string with an escape that is none") from None
        if match := _SINGLE.match(self._text, self._at):
            self._at = match.end()
            return match.group(1)
        return _bare(self._take(_BARE, "a value that is written out, without $ and ( )").group())

    def _ends(self, closing: str) -> bool:
        self._take(_GAP, "")
        if self._at == len(self._text):
            if closing:
                raise self._unreadable(f"the file ends where {closing} should be")
            return True
        return bool(closing) and self._skip(closing)

    def _skip(self, mark: str) -> bool:
        is_there = self._text.startswith(mark, self._at)
        self._at += len(mark) * is_there
        return is_there

    def _take(self, pattern: re.Pattern[str], wanted: str) -> re.Match[str]:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise self._unreadable(f"here should be {wanted}")
        self._at = match.end()
        return match

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _unreadable(self, why: str) -> ConfigurationUnreadable:
        return ConfigurationUnreadable(f"line {self._line()}: {why}")


def _bare(text: str) -> str | int | bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text
