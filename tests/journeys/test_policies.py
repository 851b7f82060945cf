"""What sites' policies, budgets and the aggregator's memory do to a run, as a user sees it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from simulator.bundled import find
from simulator.site.ledger import LEDGER, read_ledger
from tests.journeys.commands import Said, Shell
from tests.journeys.copies import own, rewrite, sites_of

TEXT = find("queries/studies", "bclm").read_text()


def changed(folder: Path, was: str, now: str, sites: int | None = None) -> None:
    """The policies of some sites, the first ones, or of all."""
    for site in sites_of(folder)[:sites]:
        rewrite(site / "policy.yaml", was, now)


def found(said: Said) -> dict[str, Any]:
    assert said.code == 0, said.err
    return dict(json.loads(said.out))


# Time bins


def test_one_site_that_allows_quarters_only_makes_all_be_asked_by_quarter(
    shell: Shell, few: Path
) -> None:
    changed(few, "finest time bin: month", "finest time bin: quarter", sites=1)
    asked = shell("explain", "bclm", "--network", few)
    assert "survival by quarter: some sites let out no finer time bins" in asked.out
    assert "quarter 35" in asked.out  # 103 months
    result = found(shell("run", "bclm", "--network", few, "--format", "json"))["result"]
    assert result["network"]["failed"] == []
    assert result["release"]["estimators"].startswith("by quarter")
    assert any(note.startswith("by quarter: some sites") for note in result["notes"])
    by_month = few / sites_of(few)[0].name / "policy.yaml"
    rewrite(by_month, "finest time bin: quarter", "finest time bin: month")
    fine = found(shell("run", "bclm", "--network", few, "--format", "json"))["result"]
    for coarse, exact in zip(result["arms"], fine["arms"], strict=True):
        assert coarse["patients"] == exact["patients"]
        estimates = (arm["survival"][1]["estimate"] for arm in (coarse, exact))
        one, other = estimates
        assert one == pytest.approx(other, abs=0.05)  # bins cost little (methods: 0.0015 at 418)


def test_a_site_that_answers_by_nothing_coarser_is_foreseen_and_lost(
    shell: Shell, few: Path
) -> None:
    first, second = sites_of(few)[:2]
    rewrite(first / "policy.yaml", "finest time bin: month", "finest time bin: year")
    rewrite(
        second / "policy.yaml",
        "finest time bin: month",
        "finest time bin: month\ncoarsest time bin: quarter",
    )
    asked = shell("explain", "bclm", "--network", few)
    told = "1 of those asked will refuse: its policy lets survival out by quarter at the coarsest"
    assert told in " ".join(asked.out.split())
    result = found(shell("run", "bclm", "--network", few, "--format", "json"))["result"]
    (lost,) = result["network"]["failed"]
    assert lost == {
        "site": second.name,
        "reason": "its policy lets out survival by quarter at the coarsest",
    }
    assert f"went on without {second.name}: nothing had been opened before" in result["notes"]


# Budgets


def test_a_budget_ends_what_noise_may_cost_and_a_question_asked_again_is_free(
    shell: Shell, few: Path
) -> None:
    changed(few, "budget: {epsilon: 10, zcdp: 50,", "budget: {epsilon: 3/2, zcdp: 50,")
    ask = ("count", "bclm", "--network", few, "--release", "dp", "--format", "json")
    first = found(shell(*ask))
    again = found(shell(*ask))
    assert again["result"] == first["result"]
    assert "the same answer, at no cost" in again["run"]["warnings"][0]
    spent = [read_ledger(site / LEDGER) for site in sites_of(few)]
    assert all(len([entry for entry in entries if entry.cost]) == 1 for entries in spent)
    half = found(shell(*ask, "--epsilon", "0.5"))
    assert half["result"] != first["result"]
    said = shell(*ask, "--epsilon", "0.1")
    assert (said.code, said.out) == (3, "")
    assert "budget" in said.err


@pytest.mark.parametrize("epsilon", ["0", "-1", "nan", "inf", "much"])
def test_an_epsilon_that_is_no_number_above_0_is_told_before_anybody_is_asked(
    shell: Shell, few: Path, epsilon: str
) -> None:
    said = shell("run", "bclm", "--network", few, "--release", "dp", f"--epsilon={epsilon}")
    assert (said.code, said.out) == (2, "")
    assert f"expected an epsilon above 0, such as 1 or 0.5; found '{epsilon}'" in said.err
    assert not (sites_of(few)[0] / LEDGER).exists()


def test_a_key_that_no_policy_has_closes_the_site_and_check_names_it(
    shell: Shell, few: Path
) -> None:
    site = sites_of(few)[0]
    rewrite(site / "policy.yaml", "least roster: 3", "least rooster: 3")
    result = found(shell("run", "bclm", "--network", few, "--format", "json"))["result"]
    assert result["network"]["eligible"] == 11
    grounds = result["network"]["not_eligible"]
    reasons = [reason for ground in grounds for reason in ground["reasons"]]
    assert any("its policy is missing or cannot be read" in reason for reason in reasons)
    told = shell("ledger", site.name, "--network", few)
    assert told.code == 0
    assert f"warning: '{site.name}' lets nothing out: " in told.err
    assert "policy.yaml:" in told.err
    assert "least roster" in told.err


# Memory


@pytest.fixture
def near(few: Path, tmp_path: Path, shell: Shell) -> Path:
    """A study that differs from the bundled one by 1 to 10 patients of this network."""
    for day in ("2024-07-15", "2024-06-30", "2024-05-31", "2024-03-31", "2023-12-31"):
        path = tmp_path / "near.yaml"
        path.write_text(TEXT.replace("study: bclm", "study: near").replace("2024-07-31", day))
        counts = [
            found(shell("count", name, "--network", few, "--release", "exact", "--format", "json"))
            for name in ("bclm", path)
        ]
        one, other = (count["result"]["steps"][-1]["patients"] for count in counts)
        if 1 <= one - other <= 10:
            return path
    pytest.fail("no such study in this network")


def test_an_answer_that_gives_a_few_patients_away_is_refused_where_policies_say_so(
    shell: Shell, few: Path, near: Path
) -> None:
    changed(few, "differences: warn", "differences: refuse", sites=1)
    found(shell("count", "bclm", "--network", few, "--format", "json"))
    found(shell("count", "bclm", "--network", few, "--format", "json"))  # again is nothing new
    said = shell("count", near, "--network", few)
    assert (said.code, said.out) == (3, "")
    assert "together with earlier answers, this one would give a few patients away" in said.err
    assert not re.search(r"\b(?:[1-9]|10) patients", said.err)


def test_elsewhere_the_run_warns_and_its_result_is_as_without_a_past(
    shell: Shell, few: Path, near: Path
) -> None:
    alone = found(shell("count", near, "--network", few, "--format", "json"))
    assert "warnings" not in alone["run"] or alone["run"]["warnings"] == []
    memory = few / "aggregator" / "memory.jsonl"
    memory.unlink()
    found(shell("count", "bclm", "--network", few, "--format", "json"))
    said = shell("count", near, "--network", few)
    assert said.err.startswith("warning: with run")
    assert max(map(len, said.err.splitlines())) <= 80
    memory.unlink()
    found(shell("count", "bclm", "--network", few, "--format", "json"))
    after = found(shell("count", near, "--network", few, "--format", "json"))
    assert after["result"] == alone["result"]
    (warning, *_) = after["run"]["warnings"]
    assert "tells how many of fewer than 11 patients are in this group" in warning


def test_a_memory_that_cannot_be_read_lets_nothing_out(shell: Shell, few: Path) -> None:
    found(shell("count", "bclm", "--network", few, "--format", "json"))
    memory = few / "aggregator" / "memory.jsonl"
    own(memory).write_text("not what was written\n")
    said = shell("count", "bclm", "--network", few)
    assert (said.code, said.out) == (2, "")
    assert "the memory of what was released cannot be used, so nothing is released" in said.err
    assert "memory.jsonl:1" in said.err
