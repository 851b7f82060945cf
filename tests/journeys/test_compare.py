"""One study under many releases on a built network, held against what `verify` calls the truth."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from simulator.bundled import find
from tests.journeys.commands import Shell
from tests.journeys.copies import only, sites_of
from tests.journeys.test_subgroups import SUBGROUPS
from tests.support.guide import typed

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "compare.md"
FIGURE = GUIDE.parents[1] / "figures" / "compare.svg"
SOME = "secure-sum,dp,exact,round-up-10,suppress-10"
FIRST_OF_TEST = "log-rank chi-squared"
SURVIVAL = "survival at 36 months"
SEED = ("--seed", "7")
NEXT = ("--seed", "8")


def compared(shell: Shell, network: Path, *words: str | Path) -> dict[str, Any]:
    said = shell("compare", "bclm", "--network", network, *words, "--format", "json")
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = find("queries/studies", "bclm").read_text().replace("analyses:", SUBGROUPS)
    path = tmp_path_factory.mktemp("studies") / "by-age.yaml"
    path.write_text(text)
    return path


def rows(found: dict[str, Any]) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {(row["release"], row["place"], row["epsilon"]): row for row in found["result"]["rows"]}


def test_every_row_is_held_against_the_truth(shell: Shell, few_to_read: Path) -> None:
    found = compared(shell, few_to_read, "--releases", SOME, "--epsilon", "2", *SEED)
    truth, told = found["result"]["truth"], rows(found)
    verified = json.loads(shell("verify", "bclm", "--network", few_to_read, "--format", "json").out)
    for lines, scale in zip(
        (part["lines"] for part in verified["parts"]),
        (truth["by_month"], truth["by_day"]),
        strict=True,
    ):
        known = {line["quantity"]: line["pooled"] for line in lines}
        assert truth["patients"] == known["patients in the cohort"]
        assert scale["log_rank_p"] == pytest.approx(
            next(
                line["pooled"]
                for line in lines[[one["quantity"] for one in lines].index(FIRST_OF_TEST) :]
                if line["quantity"].strip() == "p"
            )
        )
        alive = [line["pooled"] for line in lines if SURVIVAL in line["quantity"][:24]]
        assert scale["survival"] == pytest.approx(alive)
        for arm in truth["arms"]:
            assert arm["patients"] == known[f"{arm['arm']}: patients"]
        for ratio in scale["hazard_ratios"]:
            assert ratio["ratio"] == pytest.approx(
                known[f"hazard ratio {ratio['arm']} / {ratio['reference']}"]
            )
    assert truth["by_month"] != truth["by_day"]
    for name, unit in (("exact", "day"), ("secure-sum", "month")):
        row = told[name, "network", ""]
        assert (row["unit"], row["total"]["error"]) == (unit, 0)
        assert [arm["patients"]["error"] for arm in row["arms"]] == [0] * 4
        assert [arm["survival"]["error"] for arm in row["arms"]] == pytest.approx([0.0] * 4)
        assert row["log_rank_p"] == pytest.approx(truth[f"by_{unit}"]["log_rank_p"])
    # The twelve sites are large, but none of them has ten patients in every arm.
    for arm in told["suppress-10", "site", ""]["arms"]:
        withheld = arm["patients"]
        assert withheld.keys().isdisjoint({"estimate", "error"})
        assert withheld["at_least"] <= withheld["truth"] <= withheld["at_most"]
    assert told["round-up-10", "site", ""]["total"]["error"] > 0
    assert told["dp", "network", "2"]["shown"].keys() == {"noisy", "standard_error"}


@pytest.mark.laws
def test_a_row_is_what_a_run_of_its_own_finds(shell: Shell, few_to_read: Path) -> None:
    found = compared(shell, few_to_read, "--releases", "dp,random-round-3", "--epsilon", "4", *SEED)
    for (release, place, _), row in rows(found).items():
        at = ("--epsilon", "4") if release == "dp" else ("--at", place)
        asked = ("--network", few_to_read, "--release", release)
        said = shell("run", "bclm", *asked, *at, *SEED, "--format", "json")
        if row["refused"]:
            assert said.code == 3
            assert row["refused"] in said.err
            continue
        alone = json.loads(said.out)["result"]
        assert row["shown"] == alone["cohort"]["patients"]
        assert [arm["shown"] for arm in row["arms"]] == [arm["patients"] for arm in alone["arms"]]
        assert row["log_rank_p"] == (alone["log_rank"]["p"] if alone["log_rank"] else None)
    assert not all(row["refused"] for row in found["result"]["rows"])


@pytest.mark.laws
def test_with_a_seed_the_result_is_the_same_again(shell: Shell, few_to_read: Path) -> None:
    words = ("--releases", "dp", "--epsilon", "1/2")
    first, second = (
        compared(shell, few_to_read, *words, *SEED, "--repeats", "2") for _ in range(2)
    )
    assert first["result"] == second["result"]
    # The second run of a row is the first one of the next seed.
    later = compared(shell, few_to_read, *words, *NEXT)
    (both,), (next_one,) = (found["result"]["rows"] for found in (first, later))
    noisy = [row["shown"]["noisy"] for row in (both, next_one)]
    assert both["repeats"] == 2
    assert both["total"]["estimate"] == sum(noisy) / 2
    assert both["total"]["deviation"] == pytest.approx(abs(noisy[0] - noisy[1]) / 2**0.5)
    truth = both["total"]["truth"]
    squares = [(one - truth) ** 2 for one in noisy]
    assert both["total"]["root_mean_square"] == pytest.approx((sum(squares) / 2) ** 0.5)
    assert any("one draw of the noise: dp" in note for note in later["result"]["notes"])
    assert not any("one draw" in note for note in first["result"]["notes"])


def test_a_refusal_is_a_row_with_its_reason(
    shell: Shell, few_to_read: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said = shell(
        *("compare", "bclm", "--network", few_to_read, "--releases", "bunny,secure-sum"),
        *(*SEED, "--out", out),
    )
    assert said.code == 0, said.err
    assert max(map(len, said.out.splitlines())) <= 80
    assert (out / "compare.txt").read_text(encoding="utf-8") == said.out
    found = rows(json.loads((out / "compare.json").read_text(encoding="utf-8")))
    refused = [row for row in found.values() if row["refused"]]
    assert refused
    assert all(row["arms"] == [] and row["total"] for row in refused)
    assert "refused: " in said.out
    page = (out / "compare.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")


def test_subgroups_are_left_out_and_that_is_said(
    shell: Shell, few_to_read: Path, study: Path
) -> None:
    said = shell("compare", study, "--network", few_to_read, "--releases", "secure-steps")
    assert said.code == 0, said.err
    assert "subgroups are left out" in " ".join(said.out.split())


def test_where_nothing_is_let_out_it_ends_as_a_refusal(shell: Shell, few: Path) -> None:
    # Two sites are too few for any sum to hide one of them.
    only(few, [site.name for site in sites_of(few)][:2])
    said = shell("compare", "bclm", "--network", few, "--releases", "secure-sum")
    assert said.code == 3
    assert "hides each site in a sum over at least 3" in said.err
    found = rows(compared(shell, few, "--releases", "secure-sum,exact"))
    refused, exact = found["secure-sum", "network", ""], found["exact", "network", ""]
    assert (refused["shown"], refused["total"], refused["arms"]) == (None, None, [])
    assert exact["total"]["error"] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--releases", "acrow"), "Did you mean 'acro'?"),
        (("--releases", "acro", "--epsilon", "1"), "Name dp among --releases"),
        (("--releases", " , "), "expected words between commas"),
    ],
)
def test_what_cannot_be_is_told(
    shell: Shell, few_to_read: Path, words: tuple[str, ...], message: str
) -> None:
    said = shell("compare", "bclm", "--network", few_to_read, *words)
    assert said.code == 2
    assert message in said.err


@pytest.mark.laws
def test_the_guide_shows_what_is_printed(
    shell: Shell, as_shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COHORTIUM_DATA", str(as_shipped.parent))

    def run(words: Sequence[str]) -> tuple[int, str]:
        said = shell(*words)
        return said.code, said.out + said.err

    shown = GUIDE.read_text(encoding="utf-8")
    now = typed(shown, tmp_path, run)
    # REFRESH=1 writes what is printed now into the guide, to be read before it is committed.
    if os.environ.get("REFRESH"):
        GUIDE.write_text(now, encoding="utf-8")
        FIGURE.write_bytes((tmp_path / "compared" / "compare.svg").read_bytes())
    assert now == shown
    assert (tmp_path / "compared" / "compare.svg").read_bytes() == FIGURE.read_bytes()
