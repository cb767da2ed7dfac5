"""The URIs of stores: what kind they are, and passwords in them, which are used and never shown."""

import re
import shlex
from collections.abc import Iterable

HIDDEN = "***"
SECRETS = r"password|passwd|pwd|sslpassword|token|secret"
PATTERNS = (
    (r"(://[^\s/@:]*):{any}*@", rf"\1:{HIDDEN}@"),  # up to the last @, since a password may have one
    (rf"([?&](?:{SECRETS})=)[^\s&'\"]+", rf"\1{HIDDEN}"),
)
"""Where a secret is in a URI: between the user's name and the host, or a parameter of its query."""


def hidden(text: str) -> str:
    r"""A text without the passwords of the URIs in it.

    >>> hidden("cannot open postgresql://ada:se/cr@t@db:5432/runs now")
    'cannot open postgresql://ada:***@db:5432/runs now'
    >>> hidden("http://127.0.0.1:5000/#/experiments/1 of ada@example.org")
    'http://127.0.0.1:5000/#/experiments/1 of ada@example.org'
    >>> hidden("postgresql:///runs?user=ada&password=secret&host=db")
    'postgresql:///runs?user=ada&password=***&host=db'
    """
    return _hidden(text, r"\S")


def hidden_command(arguments: Iterable[str]) -> str:
    """A command line without passwords, given its arguments; in one of these a password may have any characters.

    >>> hidden_command(["ablate", "run", "own study.py", "--storage", "postgresql://ada:se cret@db/runs"])
    "ablate run 'own study.py' --storage 'postgresql://ada:***@db/runs'"
    """
    return shlex.join(_hidden(argument, r"[\s\S]") for argument in arguments)


def is_web(uri: str) -> bool:
    """Whether a URI is that of a tracking server, which has a UI of its own, and not of a database.

    >>> is_web("https://runs.example.org"), is_web("postgresql://db/runs")
    (True, False)
    """
    return uri.startswith(("http://", "https://"))


def without_credentials(uri: str) -> str:
    """A URI with neither a user nor a password, for a link.

    >>> without_credentials("https://ada:secret@runs.example.org/mlflow")
    'https://runs.example.org/mlflow'
    """
    return re.sub(r"://.*@", "://", uri, count=1)


def _hidden(text: str, any_character: str) -> str:
    for pattern, replacement in PATTERNS:
        text = re.sub(pattern.replace("{any}", any_character), replacement, text)
    return text
