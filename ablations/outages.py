"""Servers that do not answer: an outage of some minutes is ridden out, and a database that cannot be opened is told at once."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from requests import exceptions as http
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ablations.credentials import hidden
from ablations.errors import UserError, chain
from ablations.sqlite import database_file

PATIENCE = "ABLATIONS_PATIENCE"
"""The environment variable that says for how many seconds an outage is ridden out."""

SECONDS = 300.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0  # seconds between two tries; each pause is twice the one before
TO_CONNECT = 10  # seconds in which a server has to answer at the start

POSTGRES = {
    "connect_timeout": TO_CONNECT,
    "keepalives_idle": 30,  # a host that is gone is noticed within a minute, and not after a quarter of an hour
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # milliseconds
}
"""What libpq is told of each connection."""

BROKEN = (http.ConnectionError, http.Timeout, http.RetryError, http.ChunkedEncodingError, OperationalError, InterfaceError,
          PoolTimeout)  # fmt: skip
"""What is raised where a server is away, or says that it cannot answer now."""

Result = TypeVar("Result")
log = logging.getLogger(__name__)
_has_patience = ContextVar("_has_patience", default=True)


class Outage(UserError):
    """A server has not answered for longer than it is waited for."""


def patience() -> float:
    """The seconds for which an outage is ridden out. Raises `UserError` where the environment variable is no number."""
    given = os.environ.get(PATIENCE, SECONDS)
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UserError(f"{PATIENCE} must be a number of seconds, 0 or more, got {given!r}")
    return seconds


@contextmanager
def without_patience() -> Iterator[None]:
    """Inside, an outage is an error at once."""
    token = _has_patience.set(False)
    try:
        yield
    finally:
        _has_patience.reset(token)


def is_outage(error: BaseException) -> bool:
    """Whether a server of MLflow or a database was away; any other error is an answer."""
    return any(
        isinstance(each, BROKEN)
        or (isinstance(each, DBAPIError) and each.connection_invalidated)
        or getattr(each, "error_code", None) == "TEMPORARILY_UNAVAILABLE"  # MLflow says so of its database
        for each in chain(error)
    )


def ride_out(server: str, call: Callable[[], Result], again: Callable[[], Result] | None = None) -> Result:
    """What a call of a server returns. In an outage it is tried again, with growing pauses, as long as `patience` says.

    Says when the outage begins and when it is over. `again` is called in place of `call` after the first try: the request
    may have arrived, and its answer not. Raises `Outage` where the server stays away.
    """
    start, pause, is_told = 0.0, FIRST_PAUSE, False
    while True:
        try:
            result = call()
        except Exception as error:
            if isinstance(error, Outage) or not is_outage(error):
                raise
            start = start or time.monotonic()
            left = (start + patience() if _has_patience.get() else start) - time.monotonic()
            if left <= 0:
                raise Outage(_gone(server, time.monotonic() - start, error)) from error
            if pause > FIRST_PAUSE and not is_told:  # a connection that has only grown stale is none yet
                log.warning(hidden(f"{server} does not answer; results are kept here meanwhile; it is tried again for "
                                   f"{patience():.0f} s"))  # fmt: skip
                is_told = True
            time.sleep(min(pause, left))
            pause, call = min(2 * pause, LONGEST_PAUSE), again or call
        else:
            if is_told:
                log.warning(hidden(f"{server} answers again after {time.monotonic() - start:.0f} s; nothing was lost"))
            return result


def driver_url(url: str) -> str:
    """A database's URL with the driver that the extra `servers` installs, where it names none.

    >>> driver_url("postgresql://ada@db/runs")
    'postgresql+psycopg2://ada@db/runs'
    """
    return url.replace("postgresql://", "postgresql+psycopg2://", 1) if url.startswith("postgresql://") else url


def connection_options(url: str) -> dict[str, Any]:
    """The options of SQLAlchemy's engine for a database on a server: what is away is noticed soon."""
    options: Mapping[str, Any] = POSTGRES if make_url(url).get_backend_name() == "postgresql" else {}
    return {"pool_pre_ping": True, "connect_args": dict(options)}


def check_database(what: str, url: str) -> None:
    """Raises `UserError` where a database on a server cannot be opened now; nothing for any other kind of URL."""
    if not is_on_server(url):
        return
    try:
        parsed = _parsed(driver_url(url))
        engine = create_engine(parsed, **connection_options(url))
        engine.connect().close()
        engine.dispose()
    except NoSuchModuleError as error:
        raise UserError(
            f"cannot open {what} {url}: there is no such kind of database as {parsed.drivername}"
        ) from error
    except ModuleNotFoundError as error:
        advice = "; first: pip install 'recurrent-ablations[servers]'" if error.name == "psycopg2" else ""
        raise UserError(f"cannot open {what} {url}: it needs the package {error.name}{advice}") from error
    except SQLAlchemyError as error:
        raise UserError(f"cannot open {what} {url}: {reason(error)}") from error


def check_apart(tracking_uri: str, storage: str) -> None:
    """Raises `UserError` where MLflow and Optuna would share a database: both keep a table of the same name in it."""
    if is_on_server(tracking_uri) and is_on_server(storage):
        one, other = (_parsed(driver_url(url)) for url in (tracking_uri, storage))
        if (one.host, one.port, one.database, one.query) == (other.host, other.port, other.database, other.query):
            raise UserError(f"--tracking-uri and --storage name one database, {storage}: each needs one of its own")


def is_on_server(url: str) -> bool:
    """Whether a URL is that of a database that is no file and not in memory."""
    scheme = url.partition("://")[0]
    is_other = scheme in ("http", "https", "file", "databricks", "") or scheme.startswith("sqlite")
    return "://" in url and not is_other and database_file(url) is None


def _parsed(url: str) -> URL:
    parsed = make_url(url)
    if "@" in (parsed.host or ""):
        raise UserError("a password in a URI must have %40 in place of @, and %2F in place of /")
    return parsed


def _gone(server: str, seconds: float, error: Exception) -> str:
    how_long = f"has not answered for {seconds:.0f} s" if seconds >= 1 else "does not answer"
    return f"{server} {how_long} ({reason(error)}); what is finished is kept: give the same command again later"


def reason(error: BaseException) -> str:
    """Why a call failed, in one line: of an outage what was at its bottom, as a refused connection."""
    said = list(chain(error))[-1] if is_outage(error) else error
    return (str(said).splitlines() or [type(said).__name__])[0]
