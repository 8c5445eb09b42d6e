"""Real programs lose their homes while an officer goes on asking, and are put back from their second copies."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from broker.node.command_client import CommandClient, CommandFailed, NotRunning
from broker.node.home import Home
from tests.integration.processes.driver import Driver, check_everything
from tests.support.processes import AGENCY, Parties, Program, until

REQUESTS = 24
BROKER = "from broker.cli import main; main()"
AGENT = "from agents.launcher import main; main()"
VICTIMS = ("coordinator", "desk", AGENCY)


def follow(program: Program, copies: Path) -> None:
    """Have a program keep a second copy from its next start."""
    (home,) = program.homes
    with home.config_path.open("a") as config:
        config.write(f'\n[backup]\nfollow = "{copies / program.name}"\n')
    assert program.stop() == 0
    program.start()
    program.wait_until_connected()


def lose_and_put_back(parties: Parties, program: Program, copies: Path) -> str:
    """Kill a program, take away its home but for its key store, and restore it as a person would; what was said."""
    program.kill()
    (home,) = program.homes
    kept = copies / "keys"
    (home.path / "keys").rename(kept)
    shutil.rmtree(home.path)
    home.path.mkdir(mode=0o700)
    kept.rename(home.path / "keys")
    if program.name == AGENCY:
        words = ["-c", AGENT, "restore", "--home", str(home.path)]
    else:
        words = ["-c", BROKER, "restore", "--home", str(parties.hub.path), program.name]
    command = [sys.executable, *words, str(copies / program.name)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    program.start()
    program.wait_until_connected()
    until(f"{program.name} has caught up", lambda: has_caught_up(home))
    return done.stdout


def has_caught_up(home: Home) -> bool:
    try:
        restored = CommandClient(home.socket_path).ask("status")["restored"]
    except (NotRunning, CommandFailed):
        return False
    return bool(restored and restored["caught_up"])


def test_programs_that_lose_their_homes_go_on_from_their_second_copies(
    parties: Parties, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copies = tmp_path_factory.mktemp("copies")
    for name in VICTIMS:
        follow(parties.programs[name], copies)
    driver = Driver(parties)
    driver.begin(REQUESTS)
    for number, name in enumerate(VICTIMS):
        driver.allow(REQUESTS // 4)
        driver.wait_until_asked(number * (REQUESTS // 4) + 2)  # some are under way, some are still to be asked
        if name == "desk":
            driver.wait_until_asked((number + 1) * (REQUESTS // 4))  # a person would wait for a desk that is away
        said = lose_and_put_back(parties, parties.programs[name], copies)
        assert "from its second copy" in said
    driver.allow(REQUESTS - len(VICTIMS) * (REQUESTS // 4))
    check_everything(parties, driver.finish())


def test_a_running_program_backs_itself_up_and_its_keys_apart(parties: Parties, tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a passphrase of six words or so\n")
    passphrase.chmod(0o600)
    apart = ("--keys", str(tmp_path / "keys"), "--passphrase-file", str(passphrase))
    broker, of = (
        (sys.executable, "-c", BROKER),
        ("--home", str(parties.hub.path), "coordinator", str(tmp_path / "backup")),
    )
    done = subprocess.run([*broker, "backup", *of, *apart], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "backed up coordinator" in done.stdout
    assert "sealed in" in done.stdout
    again = subprocess.run([*broker, "backup", *of], capture_output=True, text=True)
    assert again.returncode == 1
    assert "exists; name a folder that does not" in again.stderr
    home = subprocess.run([*broker, "restore", *of], capture_output=True, text=True)
    assert home.returncode == 1
    assert "a program runs from" in home.stderr
