"""Opening a store for reading.

An SQLite file is read directly. That needs no import of MLflow, and the number of queries does not grow with the runs.
Other stores are read through MLflow's client.
"""

import sqlite3

from ablations.record.database import Database, check_file
from ablations.record.migration import MigratedSource
from ablations.record.schema import RecordError
from ablations.sqlite import database_file


def open_source(uri: str) -> MigratedSource:
    """Opens the store at a tracking URI for reading. Raises `RecordError` where that is impossible."""
    if file := database_file(uri):
        try:
            check_file(file, uri)
            return MigratedSource(Database(file))
        except OSError as error:
            raise RecordError(f"cannot open the MLflow store {uri}: {error}") from error
        except sqlite3.Error:
            pass  # not the tables that are known here: MLflow reads them, or says what is wrong
    from ablations.record.store import ClientSource, connect  # importing MLflow takes seconds

    return MigratedSource(ClientSource(connect(uri)))
