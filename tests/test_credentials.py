"""A password in a URI is never shown: not in an error, a log, a record, a report or a link."""

import logging
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablations.cli.ending import hide_passwords
from ablations.credentials import hidden, hidden_command, without_credentials
from ablations.errors import UserError
from ablations.record.migration import migrated_provenance
from ablations.record.pages import run_page

PASSWORDS = st.text(st.characters(codec="ascii", exclude_categories=["Z", "C"]), min_size=4).map(
    lambda each: f"§{each}§"
)
"""Of any printable characters, between two that nothing else has."""


@given(PASSWORDS)
def test_no_text_shows_a_password(password: str) -> None:
    text = hidden(f"cannot open postgresql+psycopg2://ada:{password}@db:5432/runs: refused")
    assert text == "cannot open postgresql+psycopg2://ada:***@db:5432/runs: refused"


@given(PASSWORDS)
def test_no_command_shows_a_password_and_the_rest_stays(password: str) -> None:
    arguments = [
        "ablate",
        "run",
        "my study.py",
        "--storage",
        f"postgresql://ada:{password} x@db/runs",
        "--workers",
        "2",
    ]
    shown = shlex.split(hidden_command(arguments))
    assert shown == [*arguments[:4], "postgresql://ada:***@db/runs", *arguments[5:]]


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:5000/#/experiments/1",
        "sqlite:////home/ada/my results/mlflow.db",
        "postgresql://ada@db/runs?sslmode=require",
        "ask ada@example.org: at 10:30",
        "models:/abc and runs:/1",
    ],
)
def test_what_has_no_password_stays_as_it_is(text: str) -> None:
    assert hidden(text) == text


def test_a_password_in_the_query_is_hidden_too() -> None:
    assert hidden("'postgresql:///r?user=a&password=b%20c&host=h'") == "'postgresql:///r?user=a&password=***&host=h'"


def test_an_error_of_the_user_hides_it() -> None:
    assert str(UserError("no http://a:b@h:5")) == "no http://a:***@h:5"


def test_what_is_logged_hides_it(caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogRecordFactory()
    try:
        hide_passwords()
        logging.getLogger("some library").warning("opening %s", "http://a:b@h:5")
    finally:
        logging.setLogRecordFactory(before)
    assert caplog.messages == ["opening http://a:***@h:5"]


def test_a_link_into_a_report_has_neither_user_nor_password() -> None:
    page = run_page("http://ada:secret@runs:5000", "1", "2")
    assert page == "http://runs:5000/#/experiments/1/runs/2"
    assert without_credentials("http://runs:5000") == "http://runs:5000"


def test_a_report_of_an_old_record_does_not_show_its_command_s_password() -> None:
    provenance = migrated_provenance({"command": "ablate run claims --storage postgresql://ada:secret@db/runs"})
    assert provenance["command"] == "ablate run claims --storage postgresql://ada:***@db/runs"
