"""`explain --analyze` measures each site that a run would ask, and its counts are the run's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from simulator.site.ledger import LEDGER
from tests.journeys.commands import Shell
from tests.journeys.copies import asked, sites_of


def analyzed(shell: Shell, network: Path, *words: str) -> dict[str, Any]:
    said = shell("explain", "bclm", "--network", network, "--analyze", "--format", "json", *words)
    assert said.code == 0, said.err
    assert said.err.startswith("laboratory: ")
    found: dict[str, Any] = json.loads(said.out)
    return found


def steps(site: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["step"]: step for step in site["steps"]}


def test_its_counts_are_those_of_a_run(shell: Shell, few: Path, truth: pl.DataFrame) -> None:
    found = analyzed(shell, few, "--release", "exact")
    report = asked(few, release="exact")
    assert found["laboratory"] is True
    assert [site["site"] for site in found["sites"]] == list(report.result.network.roster)
    with_index = report.result.cohort.attrition[0].patients
    assert sum(steps(site)["index_event"]["rows"] for site in found["sites"]) == with_index
    for site in found["sites"]:
        held = truth.filter(pl.col("site") == site["site"]).height
        assert steps(site)["people"]["rows"] >= steps(site)["index_event"]["rows"] >= held > 0


def test_no_ledger_is_written(shell: Shell, few: Path) -> None:
    analyzed(shell, few)
    assert not [site for site in sites_of(few) if (site / LEDGER).exists()]


def test_messages_are_as_large_as_was_estimated(shell: Shell, few_to_read: Path) -> None:
    for site in analyzed(shell, few_to_read)["sites"]:
        for step in ("read request", "encode"):
            found = steps(site)[step]
            assert found["bytes"] == found["estimated_bytes"]


def test_the_summary_is_that_of_the_sites(shell: Shell, few_to_read: Path) -> None:
    found = analyzed(shell, few_to_read)
    for line in found["summary"]:
        here = [steps(site)[line["step"]] for site in found["sites"] if line["step"] in steps(site)]
        for field in ("milliseconds", "rows", "estimated_rows", "bytes", "estimated_bytes"):
            values = pl.Series([step[field] for step in here], dtype=pl.Float64).drop_nulls()
            if values.is_empty():
                assert line[field] is None
                continue
            assert line[field]["median"] == pytest.approx(values.median())
            assert line[field]["most"] == pytest.approx(values.max())
            assert line[field]["total"] == pytest.approx(values.sum())


def test_the_text_fits_and_names_the_slowest(shell: Shell, few_to_read: Path) -> None:
    said = shell("explain", "bclm", "--network", few_to_read, "--analyze")
    assert said.code == 0
    assert all(len(line) <= 80 and line == line.rstrip() for line in said.out.splitlines())
    assert "what bclm costs each of 12 sites" in said.out
    slowest = said.out.partition("THE SLOWEST SITES")[2].partition("HOW TO READ")[0]
    named = [site.name for site in sites_of(few_to_read) if site.name in slowest]
    assert len(named) == 5
    totals = [float(line.split()[1]) for line in slowest.splitlines()[2:] if line.split()]
    assert totals == sorted(totals, reverse=True)
    for step in ("open", "resolve concepts", "compile", "query", "people", "facts", "tables"):
        assert f"  {step} " in said.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--analyze", "--sql", "x"), "give one"),
        (("--format", "json"), "--format goes with --analyze"),
    ],
)
def test_options_that_do_not_go_together(
    shell: Shell, few_to_read: Path, words: tuple[str, ...], told: str
) -> None:
    said = shell("explain", "bclm", "--network", few_to_read, *words)
    assert said.code == 2
    assert told in said.err
