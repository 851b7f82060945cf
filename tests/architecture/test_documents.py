"""What the documents show is true: their studies can be read and run, their links lead on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.__main__ import main
from simulator.bundled import names
from simulator.language.reading import parse_study, read_study
from tests.support.language_page import LEFT_OUT, PAGE, SPEC, TOPICS, page

ROOT = Path(__file__).parents[2]
# Not what tools leave in folders of their own: the tests are the same in every run.
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("[!.]*/README.md")])
STUDIES = [
    pytest.param(block, id=f"{path.relative_to(ROOT)}:{number}")
    for path in DOCUMENTS
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", path.read_text(), re.S))
    # Not what only shows a part of one, nor the one that shows a mistake.
    if block.startswith("study: ") and not block.startswith("study: mistaken")
]


def test_some_studies_are_shown() -> None:
    assert STUDIES


@pytest.mark.parametrize("text", STUDIES)
def test_a_study_that_is_shown_runs(
    text: str, as_reported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = parse_study(text)
    path = tmp_path / "shown.yaml"
    path.write_text(text)
    network = ["--network", str(as_reported), "--release", "exact"]
    assert main(["check", str(path)]) == 0
    assert main(["run", str(path), *network, "--format", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith(f"{study.question.arms[0].name},") for line in lines) == len(
        study.analyses.landmarks
    )


@pytest.mark.parametrize("name", names("queries/studies"))
def test_a_bundled_study_is_called_as_its_file(name: str) -> None:
    assert read_study(name).name == name


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text())
    missing = [
        link for link in links if "://" not in link and not (path.parent / link).resolve().exists()
    ]
    assert missing == []


def test_the_page_of_the_language_shows_what_is_tested(tmp_path: Path) -> None:
    asked = {path.stem.removeprefix("test_") for path in SPEC.glob("test_*.py")}
    assert set(TOPICS) == asked - set(LEFT_OUT)
    assert PAGE.read_text(encoding="utf-8") == page(tmp_path), "type `make language`"


def test_the_readmes_commands_are_there() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    shown = re.findall(r"^make ([a-z]+)$", (ROOT / "README.md").read_text(), re.M)
    assert {"demo", "test"} <= set(shown) <= set(targets)
