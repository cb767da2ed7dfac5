"""The texts beside the code: what they name exists, and versions agree."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_file_that_contributing_names_exists() -> None:
    names = set(re.findall(r"(?:ablations|reports|tasks|tests|docs)/[\w/.]*", text("CONTRIBUTING.md")))
    assert len(names) > 30
    assert not {name for name in names if not (ROOT / name.rstrip(".")).exists()}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", ".github/pull_request_template.md", ".ci/run"])
def test_every_make_target_that_a_text_names_is_there(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^ *|    )make ([a-z-]+)", text(name), re.MULTILINE))
    assert named
    assert named <= targets


def test_every_link_of_the_readme_and_contributing_leads_to_a_file() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\[[^]\"]*\]\(([^)]+)\)", text(name)):
            assert target.startswith("https://") or (ROOT / target).exists(), f"{name}: {target}"


def test_the_changelog_and_the_citation_have_the_version() -> None:
    releases = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", text("CHANGELOG.md"), re.MULTILINE)
    assert releases[0] == ("Unreleased", "")
    version, date = releases[1]
    assert version == PROJECT["version"]
    citation = yaml.safe_load(text("CITATION.cff"))
    assert (citation["version"], citation["date-released"]) == (version, date)


def test_the_citation_has_what_the_format_requires_and_the_projects_licence() -> None:
    citation = yaml.safe_load(text("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["authors"] == [{"name": PROJECT["authors"][0]["name"]}]
    assert {"message", "title"} <= citation.keys()
    assert citation["license"] == PROJECT["license"]


def test_ci_runs_the_script_on_every_python_that_the_project_names() -> None:
    job = yaml.safe_load(text(".github/workflows/ci.yml"))["jobs"]["test"]
    named = [each.rpartition(" ")[2] for each in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", each)]
    assert job["strategy"]["matrix"]["python"] == named
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


def test_the_hooks_are_the_programs_of_make_check() -> None:
    hooks = [hook for repo in yaml.safe_load(text(".pre-commit-config.yaml"))["repos"] for hook in repo["hooks"]]
    recipe = text("Makefile").partition("\ncheck:")[2].partition("\n\n")[0]
    programs = {line.split()[0].removeprefix("$(BIN)/") for line in recipe.splitlines()[1:] if "$(BIN)" in line}
    assert all(hook["language"] == "system" for hook in hooks)
    assert {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks} == programs


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_has_a_name_and_asks_something(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"]
    assert form["description"]
    assert all(part["attributes"]["label"] for part in form["body"])
    ids = [part["id"] for part in form["body"]]
    assert len(ids) == len(set(ids)) > 0
