"""A real PostgreSQL cluster of a test session: made, served on loopback, stopped by its process id, removed.

Owns starting and stopping. Knows nothing of tables: a test gets the address of an empty database. PostgreSQL refuses to
run as root, so a session of root's starts it as the `postgres` user that Debian's package makes. No test is skipped
where PostgreSQL is missing; it fails and says what to install.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.support.nats import free_port

OWNER = "postgres"
START_SECONDS = 120
"""A start takes under a second; a machine busy with everything else may need many."""
STOP_SECONDS = 60
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running cluster and how its superuser gets in."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    _number: count[int] = field(default_factory=count, repr=False, compare=False)

    def url(self, database: str, *, scheme: str = "postgresql") -> str:
        """The address of a database, password included; `scheme` may name a driver (`postgresql+psycopg`)."""
        return f"{scheme}://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    def create_database(self) -> str:
        """Create an empty database and return its name."""
        name = f"test_{next(self._number)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A cluster of this session (with pytest-xdist: of this worker)."""
    programs = _programs()
    owner = OWNER if os.geteuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        if owner is not None:
            shutil.chown(home, owner, owner)
        cluster = Postgres("127.0.0.1", free_port(), "tester", secrets.token_urlsafe(24))
        _initialise(programs, home, cluster, owner)
        server = _start(programs, home, cluster, owner)
        try:
            yield cluster
        finally:
            _stop(server)
    finally:
        shutil.rmtree(home)


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """The address of an empty database that no other test has."""
    return postgres.url(postgres.create_database())


def _programs() -> Path:
    """The folder with the newest PostgreSQL server's programs."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not found:
        pytest.fail("PostgreSQL's server programs are missing: apt-get install postgresql", pytrace=False)
    return max(found, key=lambda path: float(path.parent.name))


def _no_groups(owner: str | None) -> list[int] | None:
    """Root's groups are dropped with root; nobody else may drop any."""
    return None if owner is None else []


def _initialise(programs: Path, home: Path, cluster: Postgres, owner: str | None) -> None:
    secret = home / "password"
    secret.touch(mode=0o600)
    secret.write_text(cluster.password)
    if owner is not None:
        shutil.chown(secret, owner, owner)
    command: list[str | Path] = [programs / "initdb", "--pgdata", home / "data", "--pwfile", secret]
    command += ["--username", cluster.user]
    command += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"]
    done = subprocess.run(
        command,
        user=owner,
        group=owner,
        extra_groups=_no_groups(owner),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    secret.unlink()
    assert done.returncode == 0, done.stderr


def _start(programs: Path, home: Path, cluster: Postgres, owner: str | None) -> subprocess.Popen[bytes]:
    # fsync is off: the cluster dies with the session. Whoever tests durability in PostgreSQL sets it on for that.
    options = {"listen_addresses": cluster.host, "port": cluster.port, "unix_socket_directories": "", "fsync": "off"}
    command = [str(programs / "postgres"), "-D", str(home / "data")]
    command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    log = home / "log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, user=owner, group=owner, extra_groups=_no_groups(owner), cwd=home, stdout=out, stderr=out
        )
    for _ in range(int(START_SECONDS / POLL_SECONDS)):
        try:
            psycopg.connect(cluster.url("postgres"), connect_timeout=20).close()
        except psycopg.OperationalError:
            try:
                server.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            break
        return server
    _stop(server)
    raise AssertionError(f"PostgreSQL did not start:\n{log.read_text()}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Stop by process id: "fast" first (connections are ended), then without asking."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
