"""The service units: each program its own user and home, nothing beyond its needs, and no key where it could leak."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[3] / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
HUB = ("coordinator", "desk", "admission")

HARDENED = {
    "UMask": "0077",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "PrivateIPC": "yes",
    "ProtectProc": "invisible",
    "LimitCORE": "0",
    "MemorySwapMax": "0",
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "ProtectClock": "yes",
    "ProtectControlGroups": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "SystemCallArchitectures": "native",
    "RestartPreventExitStatus": "1 2 3",
    "Restart": "on-failure",
}


class Directives(dict[str, str]):
    """A section in which a directive may stand more than once: they are told one after the other."""

    def __setitem__(self, key: str, value: str) -> None:
        if isinstance(value, list) and isinstance(self.get(key), list):
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


def read(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, dict_type=Directives)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text("utf-8"))
    return parser


@pytest.fixture(params=SERVICES, ids=lambda path: path.stem)
def service(request: pytest.FixtureRequest) -> configparser.RawConfigParser:
    return read(request.param)


def test_every_service_is_hardened(service: configparser.RawConfigParser) -> None:
    section = service["Service"]
    assert {name: section.get(name) for name in HARDENED} == HARDENED


def test_every_service_may_write_its_own_home_only_and_gets_its_own_credential(
    service: configparser.RawConfigParser,
) -> None:
    section = service["Service"]
    user = section["User"]
    assert section["Group"] == user
    assert section["LoadCredentialEncrypted"] == user
    home = section["ReadWritePaths"]
    assert home.startswith("/var/lib/needtoknow/")
    assert home.rpartition("/")[2] == user.removeprefix("ntk-")
    assert "SetCredential" not in section
    assert "Environment" not in section


@pytest.mark.parametrize("name", HUB)
def test_no_program_of_the_hub_can_see_anothers_home(name: str) -> None:
    section = read(UNITS / f"needtoknow-{name}.service")["Service"]
    hidden = {path.removeprefix("-").rpartition("/")[2] for path in section["InaccessiblePaths"].split()}
    assert hidden == set(HUB) - {name}
    assert section["ExecStart"] == f"/opt/needtoknow/bin/broker run {name} --home /var/lib/needtoknow/hub"


def test_the_hubs_programs_are_three_users_with_homes_of_their_own() -> None:
    users = {read(UNITS / f"needtoknow-{name}.service")["Service"]["User"] for name in HUB}
    assert len(users) == 3
    stated = re.findall(r"^u (\S+)", (UNITS / "needtoknow-hub.sysusers").read_text(), re.MULTILINE)
    assert set(stated) == users
    homes = re.findall(
        r"^d (\S+)\s+(\d+)\s+(\S+)\s+(\S+)", (UNITS / "needtoknow-hub.tmpfiles").read_text(), re.MULTILINE
    )
    for path, mode, user, group in homes:
        is_home = path.count("/") == 5
        assert (mode, user, group) == (("0700", user, user) if is_home else ("0755", "root", "root"))
        assert not is_home or user in users


def test_the_target_wants_exactly_the_hubs_programs() -> None:
    wanted = read(UNITS / "needtoknow-hub.target")["Unit"]["Wants"].split()
    assert wanted == [f"needtoknow-{name}.service" for name in HUB]


def test_systemd_itself_finds_nothing_wrong_where_it_is_here(tmp_path: Path) -> None:
    """The units are verified with a program that exists and a user that exists, since neither is installed here."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        assert SERVICES
        return
    for path in [*SERVICES, *UNITS.glob("*.target")]:
        text = re.sub(r"/opt/needtoknow/bin/\w+", "/bin/true", path.read_text("utf-8"))
        text = re.sub(r"^(User|Group)=.*$", r"\1=root", text, flags=re.MULTILINE)
        (tmp_path / path.name).write_text(text.replace("Documentation=file:", "# "), "utf-8")
    found = subprocess.run(
        [analyze, "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in (found.stdout + found.stderr).splitlines() if "needtoknow" in line]
    assert ours == []
