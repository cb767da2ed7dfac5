"""The addresses of the two stores, as they are given on the command line."""

from collections.abc import Callable
from typing import Any

import click

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
SERVERS = ("http", "https")
FORMS = {
    "MLflow store": (*DATABASES, *SERVERS),
    "Optuna storage": DATABASES[:3],
}
"""What each of the stores can be."""

Callback = Callable[[click.Context, click.Parameter, str | None], str | None]


def checked_address(store: str) -> Callback:
    """The callback of an option that takes the address of such a store. An address may hold a password: it is not repeated."""

    def check(context: click.Context, parameter: click.Parameter, uri: str | None) -> str | None:
        if uri is None:
            return None
        scheme, separator, rest = uri.partition("://")
        kind = scheme.partition("+")[0]
        if not separator or kind not in FORMS[store] or not rest.strip("/") or not uri.isprintable():
            raise click.UsageError(_refusal(store, kind if separator and kind.isidentifier() else "", FORMS[store]))
        if kind == "sqlite" and (not rest.startswith("/") or rest.startswith(("/:memory:", "/file:"))):
            raise click.UsageError(f"cannot open the {store}: sqlite:/// is followed by the path of a file")
        return uri

    return check


def _refusal(store: str, kind: str, forms: tuple[Any, ...]) -> str:
    shown = {"sqlite": "sqlite:///FILE", "http": "http://HOST:PORT"}
    known = ", ".join(shown.get(form, f"{form}://…") for form in forms)
    what = f"{kind}:// is not known" if kind and kind not in forms else "that is no address"
    return f"cannot open the {store}: {what}; it is one of {known}"
