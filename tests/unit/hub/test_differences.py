"""Why two results differ: each term is found, and no more is concluded than can be known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.aggregates.released import Withheld
from simulator.cli.as_json import as_json
from simulator.errors import UserError
from simulator.hub.differences import Differences, Kind, explain
from simulator.hub.recorded import Recorded, read_recorded
from simulator.hub.result import Report
from simulator.hub.terms import typed
from simulator.hub.wire import Lost
from simulator.language.reading import parse_study
from simulator.privacy.releases import EXACT, SECURE_SUM, Release
from tests.unit.hub.wires import TEXT, Behaviour, FakeWire, client_of, is_lost, well

SITES = ("a", "b", "c", "d")
Change = Callable[[dict[str, Any]], None]


def ran(
    was: str = "",
    now: str = "",
    *,
    release: Release = SECURE_SUM,
    names: tuple[str, ...] = SITES,
    **otherwise: Behaviour,
) -> Report:
    """A run on some sites, of the example with one text in place of another."""
    assert was in TEXT
    study = parse_study(TEXT.replace(was, now, 1).replace("COMPLETENESS", "0.5"))
    wire = FakeWire(dict.fromkeys(names, well) | otherwise, study)
    return client_of(wire, names).run(study, release, run="run")


class Files:
    """Writes reports as the command does, and reads them back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, report: Report, change: Change = lambda _whole: None) -> Recorded:
        whole = json.loads(as_json(report))
        change(whole)
        path = self._folder / f"{len([*self._folder.iterdir()])}.json"
        path.write_text(json.dumps(whole), encoding="utf-8")
        return read_recorded(path)

    def explain(self, first: Report, second: Report) -> Differences:
        return explain(self(first), self(second))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def differing(found: Differences) -> dict[str, tuple[str, ...]]:
    return {term.term: term.details for term in found.terms if not term.same}


# One term at a time


def test_the_same_is_the_same(files: Files) -> None:
    found = files.explain(ran(), ran())
    assert differing(found) == {}
    assert found.numbers == ()
    assert found.compared > 50
    assert found.conclusion.kind is Kind.SAME
    assert "title" not in found.conclusion.says


def test_words_alone_are_told_and_change_nothing(files: Files) -> None:
    found = files.explain(ran(), ran("title: an example", "title: another"))
    assert differing(found) == {"study: title": ("title: an example -> another",)}
    assert found.conclusion.kind is Kind.SAME
    assert "but for the study's name, version or title" in found.conclusion.says


def test_sites_that_were_not_asked_are_named(files: Files) -> None:
    found = files.explain(ran(), ran(names=("a", "d", "e")))
    assert differing(found)["roster"] == (
        "only in the first, not asked in the second: b, c",
        "only in the second, not asked in the first: e",
    )
    assert found.conclusion.kind is Kind.ONE_TERM
    assert found.conclusion.causes == ("roster",)
    assert "3 sites hold: two runs show what one would hide" in found.conclusion.says


def test_a_site_that_was_lost_is_named_with_the_reason(files: Files) -> None:
    found = files.explain(ran(c=is_lost(Lost.SILENT)), ran())
    assert differing(found) == {
        "roster": (
            "only in the second, asked and lost in the first: c (no answer before the deadline)",
        )
    }
    by_name = {quantity.name: quantity for quantity in found.numbers}
    patients = by_name["arms", "with", "patients"]
    assert (patients.first, patients.second, patients.difference) == (36, 48, 12)
    assert "1 site holds" in found.conclusion.says


def test_codes_that_came_or_went_are_named(files: Files) -> None:
    found = files.explain(
        ran("drug: [RxNorm 3639]", "drug: {include: [RxNorm 3639], exclude: [RxNorm 1]}"),
        ran("drug: [RxNorm 3639]", "drug: [RxNorm 3639, RxNorm 40048, RxNorm 3995]"),
    )
    assert differing(found) == {
        "study: codes": (
            "'drug': only in the second: RxNorm 3995, RxNorm 40048",
            "'drug': excluded only in the first: RxNorm 1",
        )
    }
    assert found.conclusion.kind is Kind.NO_EFFECT
    assert "the study's codes made no difference to any" in found.conclusion.says


def test_a_concept_set_that_is_gone_is_named(files: Files) -> None:
    renamed = TEXT.replace("drug: [RxNorm 3639]", "pill: [RxNorm 3639]").replace(
        "drug: drug", "drug: pill"
    )
    found = files.explain(ran(), ran(TEXT, renamed))
    assert differing(found)["study: codes"] == (
        "'drug': only in the first",
        "'pill': only in the second",
    )


@pytest.mark.parametrize(
    ("was", "now", "term", "told"),
    [
        (
            "dates: 2016-01-01",
            "dates: 2017-01-01",
            "study: index and steps",
            "'in these years', dates, earliest: 2016-01-01 -> 2017-01-01",
        ),
        (
            "in these years",
            "then",
            "study: index and steps",
            "'in these years': only in the first",
        ),
        (
            "with: {drug: drug, days: -90 to -1}",
            "with: {drug: drug, days: any to -1}",
            "study: arms",
            "'with', window, earliest: -90 -> none",
        ),
        (
            "follow up: {months: 12}",
            "follow up: {months: 13}",
            "study: outcome and follow-up",
            "follow_up, months: 12 -> 13",
        ),
        (
            "at months: [6]",
            "at months: [6, 7]",
            "study: analyses",
            "analyses, landmarks, 2: only in the second",
        ),
    ],
)
def test_each_part_of_a_study_says_what_is_otherwise(
    files: Files, was: str, now: str, term: str, told: str
) -> None:
    found = files.explain(ran(), ran(was, now))
    assert list(differing(found)) == [term]
    assert told in differing(found)[term]


def test_arms_in_another_order_are_another_study(files: Files) -> None:
    first, second = TEXT.partition("arms:\n")[2].splitlines(keepends=True)[:2]
    found = files.explain(ran(), ran(first + second, second + first))
    assert differing(found)["study: arms"] == ("in another order",)


def test_the_release_is_held_against_the_release(files: Files) -> None:
    found = files.explain(ran(), ran(release=EXACT))
    assert "name: secure-sum -> exact" in differing(found)["release"]
    assert found.conclusion.causes == ("release",)
    assert found.conclusion.kind is Kind.ONE_TERM


def test_the_laboratory_follows_from_the_release(files: Files) -> None:
    def open_it(whole: dict[str, Any]) -> None:
        whole["result"]["release"]["laboratory"] = True

    found = explain(files(ran()), files(ran(release=EXACT), open_it))
    assert found.conclusion.causes == ("release",)
    assert found.conclusion.follow == ("laboratory",)
    assert explain(files(ran()), files(ran(), open_it)).conclusion.causes == ("laboratory",)


def test_data_says_what_it_was_built_from(files: Files) -> None:
    def built(seed: str) -> Change:
        def change(whole: dict[str, Any]) -> None:
            whole["result"]["fingerprints"]["network"] = f"{seed}00"
            whole["result"]["network"]["built"] = {"scenario": "as-reported", "seed": seed}

        return change

    found = explain(files(ran(), built("1")), files(ran(), built("2")))
    assert differing(found) == {"data": ("seed: 1 -> 2",)}
    assert found.conclusion.causes == ("data",)


def test_data_that_was_built_alike_can_have_other_organisations(files: Files) -> None:
    def change(whole: dict[str, Any]) -> None:
        whole["result"]["fingerprints"]["network"] = "01"

    found = explain(files(ran()), files(ran(), change))
    assert differing(found)["data"] == ("built alike, but its list of organisations differs",)
    fewer = explain(files(ran()), files(ran(names=("a", "b", "c")), change))
    assert differing(fewer)["data"] == ("organisations: 4 -> 3",)
    assert fewer.conclusion.causes == ("data",)
    assert fewer.conclusion.follow == ("roster",)
    assert "data (roster differs because of it)" in fewer.conclusion.says


@pytest.mark.parametrize("place", ["result", "release"])
def test_a_seed_is_a_term_where_one_was_given(files: Files, place: str) -> None:
    def seeded(seed: int) -> Change:
        def change(whole: dict[str, Any]) -> None:
            given = whole["result"] if place == "result" else whole["result"]["release"]
            given["seed"] = seed

        return change

    found = explain(files(ran(), seeded(1)), files(ran(), seeded(2)))
    assert list(differing(found)) == ["seed"]
    assert "seed" not in [term.term for term in files.explain(ran(), ran()).terms]


def test_a_program_of_another_version_is_a_term(files: Files) -> None:
    report = ran()
    versions = report.run.versions | {"duckdb": "0.1"}
    other = msgspec.structs.replace(
        report, run=msgspec.structs.replace(report.run, versions=versions)
    )
    found = files.explain(report, other)
    assert list(differing(found)) == ["duckdb"]
    assert found.conclusion.kind is Kind.NO_EFFECT


# Several terms, and none


def test_several_terms_are_taken_apart_one_run_after_the_other(files: Files) -> None:
    found = files.explain(
        ran(c=is_lost(Lost.SILENT)), ran("RxNorm 3639", "RxNorm 40048", release=EXACT)
    )
    assert found.conclusion.kind is Kind.SEVERAL_TERMS
    assert found.conclusion.causes == ("roster", "release", "study: codes")
    first, second, how = found.conclusion.next
    assert first == "As the first, but with the second's release: --release exact"
    assert second == (
        "As before, and in a copy of study 'example', the second's codes in place of the first's"
    )
    assert "due to roster" in how


def test_every_kind_of_term_says_what_to_do(files: Files) -> None:
    def change(whole: dict[str, Any]) -> None:
        whole["result"]["fingerprints"]["network"] = "01"
        whole["result"]["network"]["name"] = "another"
        whole["result"]["release"]["laboratory"] = True
        whole["result"]["seed"] = 7
        whole["run"]["versions"] |= {"duckdb": "0.1", "numpy": "0.2"}

    found = explain(files(ran(c=is_lost(Lost.SILENT))), files(ran(), change))
    assert found.conclusion.causes == ("data", "roster", "laboratory", "seed", "duckdb", "numpy")
    *steps, how = found.conclusion.next
    assert steps == [
        "As the first, but under the second's policies",
        "As before, and with the second's seed",
        "As before, and on the second's network: --network another (as it was built then)",
        "As before, and with the second's sites: on a copy of the network's file that lists only "
        "those",
        "As before, and with duckdb 0.1",
    ]
    assert "due to numpy" in how


def test_a_roster_in_another_order_is_another_roster(files: Files) -> None:
    found = files.explain(ran(), ran(names=("d", "c", "b", "a")))
    assert differing(found) == {"roster": ("the same sites in another order",)}
    assert "would hide" not in found.conclusion.says


def test_a_lost_site_does_not_follow_from_the_study(files: Files) -> None:
    study = ("RxNorm 3639", "RxNorm 40048")
    asked_otherwise = files.explain(ran(), ran(*study, names=("a", "b", "d")))
    assert asked_otherwise.conclusion.causes == ("study: codes",)
    assert asked_otherwise.conclusion.follow == ("roster",)
    landmarks = ("at months: [6]", "at months: [7]")
    otherwise_looked_at = files.explain(ran(), ran(*landmarks, names=("a", "b", "d")))
    assert otherwise_looked_at.conclusion.causes == ("roster", "study: analyses")
    lost = files.explain(ran(), ran(*study, c=is_lost(Lost.CRASHED)))
    assert lost.conclusion.causes == ("roster", "study: codes")
    assert lost.conclusion.follow == ()


def test_other_numbers_from_the_same_terms_are_a_defect(files: Files) -> None:
    def change(whole: dict[str, Any]) -> None:
        whole["result"]["arms"][0]["events"] += 1

    found = explain(files(ran()), files(ran(), change))
    assert found.conclusion.kind is Kind.DEFECT
    assert "1 number differs all the same" in found.conclusion.says
    assert "databases were changed after they were built" in found.conclusion.says
    assert found.conclusion.next == ("cohortium verify example --network fake",)


def test_a_withheld_number_stays_withheld(files: Files) -> None:
    def withhold(whole: dict[str, Any]) -> None:
        whole["result"]["cohort"]["patients"] = {"withheld": {"below": 11}}

    found = explain(files(ran(), withhold), files(ran()))
    (quantity,) = found.numbers
    assert (quantity.first, quantity.difference) == (Withheld(11), None)
    assert json.loads(as_json(found))["numbers"][0]["first"] == {"withheld": {"below": 11}}


# Files


def test_a_folder_stands_for_its_result(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(as_json(ran()), encoding="utf-8")
    assert read_recorded(tmp_path) == read_recorded(tmp_path / "result.json")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"schema": 1,\n "result"', "f.json:2:10: this is not JSON"),
        ("[1]", "this is not a result"),
        ('{"schema": 1, "result": {}}', "expected the keys 'schema', 'result' and 'run'"),
        ('{"schema": 2, "result": {}, "run": {}}', "expected a result of schema 1; found 2"),
        ('{"schema": 1, "result": {}, "run": {}}', "missing required field `study`"),
        ("\ud800", "this is not JSON"),
        ("study: mine\nversion: 1\n", "f.json: this is a study; `diff` takes results"),
        ("cohort: mine\nversion: 1\n", "f.json: this is a cohort; `diff` takes results"),
        ("frozen: mine\nversion: 1\n", "this is what `freeze` wrote of a study; `diff` takes"),
        ("other: 1\n", "f.json:1:1: this is not JSON"),
    ],
)
def test_a_file_that_is_no_result(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "f.json"
    path.write_bytes(content.encode(errors="surrogatepass"))
    with pytest.raises(UserError) as caught:
        read_recorded(path)
    assert told in str(caught.value)
    assert "f.json" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        read_recorded(tmp_path)


def test_a_folder_in_the_place_of_a_result(tmp_path: Path) -> None:
    (tmp_path / "result.json").mkdir()
    with pytest.raises(UserError, match="it cannot be read: Is a directory"):
        read_recorded(tmp_path)


def test_a_name_that_was_mistyped_is_put_right(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    with pytest.raises(UserError) as caught:
        read_recorded(tmp_path / "frist")
    assert caught.value.hint == "Did you mean 'first'?"


def test_a_result_of_an_earlier_version_is_refused(files: Files) -> None:
    def earlier(whole: dict[str, Any]) -> None:
        del whole["result"]["network"]["roster"]

    with pytest.raises(UserError, match="missing required field `roster`") as caught:
        files(ran(), earlier)
    assert caught.value.hint is not None
    assert "run the study again" in caught.value.hint


# Noise


def noised(seed: int | None = None, epsilon: str = "1", events: int = 3) -> Change:
    """A result as if noise had been added to it."""

    def change(whole: dict[str, Any]) -> None:
        result = whole["result"]
        result["release"]["name"] = "dp"
        result["release"]["noise"] = {"epsilon": epsilon, "mechanism": "laplace"}
        result["seed"] = seed
        result["arms"][0]["events"] = {"noisy": events, "standard_error": 2.5}

    return change


def test_what_differs_under_fresh_noise_is_chance_not_a_defect(files: Files) -> None:
    report = ran()
    found = explain(files(report, noised(events=3)), files(report, noised(events=5)))
    assert found.conclusion.kind is Kind.CHANCE
    assert "draws its noise anew" in found.conclusion.says
    # The same seed draws the same noise.
    fixed = explain(files(report, noised(1, events=3)), files(report, noised(1, events=5)))
    assert fixed.conclusion.kind is Kind.DEFECT


def test_the_cost_of_a_run_is_a_term_of_its_release(files: Files) -> None:
    report = ran()
    found = explain(
        files(report, noised(epsilon="1")), files(report, noised(epsilon="3", events=9))
    )
    assert found.conclusion.kind is Kind.ONE_TERM
    assert differing(found)["release"] == ("epsilon: 1 -> 3",)
    assert "In both results there is noise" in found.conclusion.says


def test_what_is_exact_and_what_is_noisy_differ_by_the_release(files: Files) -> None:
    report = ran()
    found = explain(files(report), files(report, noised()))
    assert found.conclusion.causes == ("release",)
    assert "In the second result there is noise" in found.conclusion.says


def test_a_release_is_typed_with_what_was_chosen_of_it(files: Files) -> None:
    def at_the_sum(whole: dict[str, Any]) -> None:
        whole["result"]["release"] |= {"name": "pcornet", "place": "network"}

    report = ran()
    assert typed(files(report)) == "--release secure-sum"
    assert typed(files(report, noised())) == "--release dp --epsilon 1 --noise laplace"
    assert typed(files(report, at_the_sum)) == "--release pcornet --at network"
