"""What every file of the repository is held to, whatever its room."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "simulator").rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked() -> list[Path]:
    """The files of the repository that are text."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - wherever git is
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if listed.returncode != 0:
        pytest.skip("this is not a checkout")
    paths = [ROOT / path for path in listed.stdout.split("\0") if path]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_says_its_one_job_in_the_first_line(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert said is not None
    first, *rest = said.splitlines()
    assert first.endswith((".", "?"))
    assert not rest or rest[0] == ""
    # One sentence: a full stop ends it, but for those of file names and abbreviations.
    assert not re.search(r"\w{2,}\. [A-Z]", first), first


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_knows_of_tests_or_prints(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "import pytest" not in text
    assert "from tests" not in text


# Where the author's machine would show.
_MACHINE = re.compile(r"(?<![\w.])/(?:work|home|Users|root|mnt|tmp)/\w")


def test_no_path_of_a_machine_is_in_the_repository() -> None:
    found = {
        name(path): match[0]
        for path in tracked()
        if path != Path(__file__)
        and (match := _MACHINE.search(path.read_text(encoding="utf-8", errors="replace")))
    }
    assert found == {}


def test_nothing_claims_to_be_the_platform_that_is_modelled() -> None:
    """It is modelled on the way TriNetX is used; it is not by, of, or from it."""
    claim = re.compile(
        r"(powered|provided|produced|made|built|published|owned|endorsed)\s+by\s+TriNetX"
        r"|TriNetX(,? (LLC|Inc)|'s (product|software|code|data))"
        r"|(©|copyright|\(c\))[^\n]*TriNetX",
        re.IGNORECASE,
    )
    found = {
        name(path): match[0]
        for path in tracked()
        if path != Path(__file__)
        and (match := claim.search(path.read_text(encoding="utf-8", errors="replace")))
    }
    assert found == {}


def test_the_package_names_nobody_else_as_its_maker() -> None:
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "TriNetX" not in settings


@pytest.mark.parametrize("root", ["home", "work", "tmp", "Users"])
@pytest.mark.parametrize("before", ["see ", "'", "="])
def test_such_a_path_would_be_found(root: str, before: str) -> None:
    assert _MACHINE.search(f"{before}/{root}/x")


@pytest.mark.parametrize("text", ["tests/work/x", "https://host/home/x", "a/tmp/b", "/workshop/x"])
def test_other_paths_are_none(text: str) -> None:
    assert not _MACHINE.search(text)
