"""The rooms that the contracts name are the rooms that there are, and the contracts hold."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "simulator"
SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
CONTRACTS: list[dict[str, Any]] = SETTINGS["importlinter"]["contracts"]


def rooms() -> set[str]:
    """The modules and packages right below the package."""
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    return modules | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def named() -> tuple[set[str], set[str]]:
    """The rooms in the layers: those that exist, and those in parentheses that do not yet."""
    (layers,) = (contract["layers"] for contract in CONTRACTS if contract["type"] == "layers")
    words = [word.strip() for layer in layers for word in layer.replace(":", "|").split("|")]
    later = {word.strip("()") for word in words if word.startswith("(")}
    return {word for word in words if not word.startswith("(")}, later


def test_every_room_that_is_named_exists() -> None:
    assert named()[0] - rooms() == set()


def test_every_room_that_exists_is_named_without_parentheses() -> None:
    assert rooms() - named()[0] == set()


def test_no_room_in_parentheses_exists() -> None:
    assert named()[1] & rooms() == set()


def test_a_room_is_more_than_its_name() -> None:
    for room in PACKAGE.glob("*/__init__.py"):
        assert [path for path in room.parent.glob("*.py") if path.name != "__init__.py"]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract["name"]))
def test_what_a_contract_speaks_of_exists(contract: dict[str, Any]) -> None:
    for key in ("source_modules", "protected_modules", "allowed_importers"):
        for module in contract.get(key, ()):
            place = ROOT / module.replace(".", "/")
            assert place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def test_the_rooms_that_may_not_reach_a_database_are_all_that_there_are() -> None:
    """A room that is made later must not be forgotten in the contract."""
    (contract,) = (one for one in CONTRACTS if "simulator.site" in one.get("forbidden_modules", ()))
    outside = {f"simulator.{room}" for room in ("hub", "attacks", "report") if room in rooms()}
    assert set(contract["source_modules"]) == outside


def test_the_contracts_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(  # noqa: S603 - our own tool
        [command, "--no-cache"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in done.stdout


def test_only_one_module_opens_a_database_of_a_site() -> None:
    """duckdb is named where a site's store is opened or its errors are caught, and in the build."""
    naming = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "duckdb.connect" in path.read_text(encoding="utf-8")
    }
    assert naming == {"site/store.py", "synthesis/database.py"}
