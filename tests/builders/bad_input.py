"""Kinds of bad input: what is given, and the words that the one line about it must have."""

from collections.abc import Sequence
from typing import NamedTuple

from builders.bad_files import COUNTS

NO_SUCH = "sqlite:////proc/none/x.db"
SMOKE = ("--scale", "smoke", "--dry-run")


class Command(NamedTuple):
    """A command line, with what is set in the environment, and the words."""

    arguments: Sequence[str]
    words: str
    environment: dict[str, str] = {}  # noqa: RUF012  # it is never changed


def run(*options: str) -> list[str]:
    return ["run", "claims", *SMOKE, *options]


COMMANDS = [
    # names
    Command(["nothing"], "No such command 'nothing'"),
    Command(["rnu", "claims"], "No such command 'rnu'"),
    Command(["--nothing"], "No such option '--nothing'"),
    Command(["run"], "Missing argument 'STUDY'"),
    Command(["run", ""], "unknown study ''"),
    Command(["run", "clams"], "unknown study 'clams'; did you mean 'claims'?"),
    Command(["run", "claims", "tasks"], "unexpected extra argument"),
    Command(["run", "../claims"], "unknown study '../claims'"),
    Command(["run", "claims\n"], "unknown study"),
    Command(["run", "x" * 5000], "unknown study"),
    Command(["run", "nowhere.py"], "there is no file nowhere.py"),
    Command(["run", ".py"], "there is no file .py"),
    Command(["run", "claims", "--scale", "huge"], "unknown scale 'huge'"),
    Command(["run", "claims", "--scale", ""], "unknown scale ''"),
    Command(["run", "claims", "--scale", "dmeo"], "did you mean 'demo'?"),
    Command(["run", "claims", "--scale"], "Option '--scale' requires an argument"),
    # budgets
    *(Command(run(f"--{part.replace('_', '-')}", "0"), "0 is not in the range x>=1") for part in COUNTS),
    Command(run("--trials", "-3"), "-3 is not in the range x>=1"),
    Command(run("--trials", "many"), "'many' is not a valid integer"),
    Command(run("--trials", "1.5"), "'1.5' is not a valid integer"),
    Command(run("--trials", "nan"), "'nan' is not a valid integer"),
    Command(run("--trials", ""), "'' is not a valid integer"),
    Command(run("--trials", "1e3"), "'1e3' is not a valid integer"),
    Command(run("--trials", "3", "--trials-per-round", "2"), "multiple of trials_per_round"),
    Command(run("--trials", "4", "--trials-per-round", "4"), "must be at least twice trials_per_round"),
    Command(run("--trails", "3"), "No such option '--trails'"),
    Command(run("--steps", "7"), "multiple of segments"),
    Command(run("--seed", "-1"), "-1 is not in the range x>=0"),
    Command(run("--seed", "x"), "'x' is not a valid integer"),
    Command(run("--parameters", "1"), "1 cannot be met"),
    Command(run("--parameters", str(10**15)), "parameters"),
    Command(run("--parameters", str(10**9)), "cannot be met"),
    Command(run("--parameters", str(10**30)), "parameters"),
    # sizes that cannot be allocated
    *(Command(run(f"--{part}", str(10**12)), "GB of memory for one run") for part in ("batch", "validation", "test")),
    *(
        Command(run(f"--{part}", str(10**30)), "less than or equal to")
        for part in (
            "trials",
            "replicates",
            "search-seeds",
            "steps",
            "batch",
            "validation",
            "test",
        )
    ),
    Command(run("--replicates", str(10**12)), "1,000,000 are most"),
    Command(run("--search-seeds", str(10**12)), "1,000,000 are most"),
    Command(run("--trials", str(10**12)), "1,000,000 are most"),
    Command(["show", "claims", "--scale", "smoke", "--workers", "0"], "0 is not in the range 1<=x<=1024"),
    Command(run("--workers", "0"), "0 is not in the range 1<=x<=1024"),
    Command(run("--workers", "two"), "'two' is not a valid integer"),
    Command(run("--workers", str(10**9)), "is not in the range"),
    Command(run("--executor", "thread"), "'thread' is not one of"),
    Command(run("--keep-models", "some"), "'some' is not one of"),
    # control
    Command(run("--only", ""), "no setting is called ''"),
    Command(run("--only", "copying"), "no setting is called 'copying'"),
    Command(run("--only", "copying/lsmt"), "did you mean 'copying/lstm'?"),
    Command(run("--only", "copying/lstm", "--only", "x/y"), "no setting is called 'x/y'"),
    Command(run("--only", "[/lstm"), "no setting is called '[/lstm'"),
    *(
        Command(run("--time-limit", text), f"{text!r} is no time")
        for text in (
            "",
            "5",
            "0s",
            "-1m",
            "1m1h",
            "soon",
            "1.5h",
            "1h 30m",
            "1d",
            "nan",
            "inf",
        )
    ),
    Command(run("--time-limit", "9" * 400 + "h"), "is no time"),
    Command(run("--time-limit", "9" * 5000 + "h"), "is no time"),
    *(
        Command(run("--cohort-memory", text), words)
        for text, words in (
            ("0", "range x>0"),
            ("-1", "range x>0"),
            ("nan", "finite number"),
            ("much", "not a valid float"),
            ("inf", "finite number"),
            ("1e-9", "GB of memory for one run"),
        )
    ),
    # list, show, new, try
    Command(["list", "task"], "'task' is not one of"),
    Command(["list", "tasks", "cells"], "unexpected extra argument"),
    Command(["show"], "Missing argument 'NAME'"),
    Command(["show", ""], "unknown name ''"),
    Command(["show", "copyin"], "unknown name 'copyin'; did you mean 'copying'?"),
    Command(["show", "zzz"], "unknown name 'zzz'"),
    Command(["show", "lstm.py"], "there is no file lstm.py"),
    Command(["show", "feedforward", "--source"], "feedforward has no cell"),
    Command(["show", "copying", "--source"], "unknown cell or ablation 'copying'"),
    Command(["show", "claims", "--scale", "huge"], "unknown scale 'huge'"),
    Command(["show", "claims/copying/lstm/0"], "nothing is recorded"),
    Command(["show", "claims/copying/lstm/99999999999999999999999"], "nothing is recorded"),
    Command(["show", "0" * 32], "there is no such file"),
    Command(["new"], "Missing argument"),
    Command(["new", "cel", "x"], "'cel' is not one of"),
    Command(["new", "cell"], "Missing argument 'NAME'"),
    *(
        Command(["new", "cell", name], words)
        for name, words in (
            ("lstm", "built in"),
            ("class", "cannot be a name"),
            ("My_cell", "cannot be a name"),
            ("1x", "cannot be a name"),
            ("a/b", "cannot be a name"),
            ("../x", "cannot be a name"),
            ("", "cannot be a name"),
            ("a b", "cannot be a name"),
            ("ünit", "cannot be a name"),
            ("numpy", "installed module"),
            ("x.py", "cannot be a name"),
            ("a\nb", "cannot be a name"),
            ("x" * 300, "at most"),
        )
    ),
    Command(["try"], "Missing argument 'FILE'"),
    Command(["try", "nowhere.py"], "there is no file nowhere.py"),
    Command(["try", "lstm"], "there is no file lstm"),
    Command(["try", "."], "there is no file ."),
    Command(["try", ""], "there is no file"),
    # what is recorded
    Command(["report"], "Missing argument 'STUDY'"),
    Command(["report", "claims"], "nothing is recorded of study 'claims' at scale 'demo'"),
    Command(["report", "clams"], "there is no study 'clams'; did you mean 'claims'?"),
    Command(["status", "clams"], "there is no study 'clams'; did you mean 'claims'?"),
    Command(["status", "claims"], "nothing is recorded"),
    Command(["report", "claims", "--scale", "huge"], "nothing is recorded"),
    Command(["report", "nowhere.py"], "there is no file nowhere.py"),
    Command(["report", "claims", "--workers", "2"], "No such option"),
    Command(["ui"], "there is no record"),
    Command(["ui", "claims"], "unexpected extra argument"),
    *(
        Command(["ui", "--port", port], words)
        for port, words in (
            ("0", "range 1<=x<=65535"),
            ("-1", "range 1<=x<=65535"),
            ("65536", "range 1<=x<=65535"),
            ("http", "not a valid integer"),
            ("", "not a valid integer"),
            ("80.5", "not a valid integer"),
        )
    ),
    Command(["dashboard"], "there is no search"),
    Command(["dashboard", "--port", "99999"], "range 1<=x<=65535"),
    # two records
    Command(["merge"], "Missing argument 'FOLDER...'"),
    Command(["merge", "none"], "is no folder; name results folders"),
    Command(["merge", "file"], "is no folder; name results folders"),
    Command(["merge", "none", "results"], "is the results folder that is merged into"),
    Command(["merge", "a\nb"], "is no folder; name results folders"),
    Command(["compare"], "Missing argument 'A'"),
    Command(["compare", "none"], "Missing argument 'B'"),
    Command(["compare", "none", "file"], "there is no such file"),
    Command(["compare", "none", "file", "--study", "clams"], "there is no study 'clams'; did you mean 'claims'?"),
    Command(["compare", "nonsense://x", "file"], "cannot open the MLflow store"),
    Command(["compare", "none", "file", "--study", ""], "there is no study ''"),
    # addresses
    *(
        Command([*command, "--tracking-uri", uri], words)
        for command in (["report", "claims"], ["status", "claims"], ["ui"])
        for uri, words in (
            (NO_SUCH, "cannot open the MLflow store"),
            ("nonsense://x", "cannot open the MLflow store"),
            ("sqlite://", "cannot open the MLflow store"),
            ("sqlite:///", "cannot open the MLflow store"),
            ("sqlite:///.", "cannot open the MLflow store"),
            ("x", "cannot open the MLflow store"),
            ("sqlite:///none.db", "there is no such file"),
            ("mysql+nothing://u@h/d", "cannot open the MLflow store"),
            ("postgresql://h:99999999/d", "cannot open the MLflow store"),
            ("sqlite:///a\0b", "cannot open the MLflow store"),
            ("file:///tmp/none", "cannot open the MLflow store"),
            ("://", "cannot open the MLflow store"),
            ("databricks://x", "cannot open the MLflow store"),
        )
    ),
    *(
        Command(["dashboard", "--storage", uri], "cannot open the Optuna storage")
        for uri in ("", "nonsense", "sqlite://h/x.db", "journal:///x", "http://h", "redis://h")
    ),
    *(
        Command(run(option, uri), "cannot open the")
        for option in ("--tracking-uri", "--storage")
        for uri in ("nonsense", "ftp://h/x", "sqlite:///:memory:", "postgresql://")
    ),
    # the environment
    Command(run(), "ABLATIONS_HOME", {"ABLATIONS_HOME": "/dev/null"}),
    Command(run(), "ABLATIONS_HOME", {"ABLATIONS_HOME": "file"}),
    Command(run(), "ABLATIONS_HOME", {"ABLATIONS_HOME": "file/results"}),
    Command(run(), "ABLATIONS_HOME", {"ABLATIONS_HOME": "/" + "x" * 300}),
    Command(run(), "ABLATIONS_HOME", {"ABLATIONS_HOME": "/" + "x/" * 2500}),
    Command(run(), "ABLATIONS_HOME", {"ABLATIONS_HOME": "a\nb"}),
    Command(run(), "ABLATIONS_HOME", {"ABLATIONS_HOME": "~nobody-of-that-name/x"}),
    Command(["report", "claims"], "ABLATIONS_HOME", {"ABLATIONS_HOME": "/dev/null"}),
    Command(["status", "claims"], "ABLATIONS_HOME", {"ABLATIONS_HOME": "a\tb"}),
    Command(["ui"], "ABLATIONS_HOME", {"ABLATIONS_HOME": "file"}),
]
