from __future__ import annotations

import re

import msgspec
import pytest

from simulator.aggregates.released import Between, Of, Rounded, Withheld
from simulator.hub.analyses.results import (
    ArmResult,
    AttritionStep,
    ContrastResult,
    HazardRatioResult,
    InteractionResult,
    LevelArm,
    LevelResult,
    SubgroupResult,
)
from simulator.hub.result import FrozenResult, LostSite, Report
from simulator.language.prose import describe
from simulator.language.reading import read_study
from simulator.language.study import Study
from simulator.privacy.releases import find_release
from simulator.report.answer import answer
from simulator.report.page import page
from simulator.report.write import files
from tests.support.html import Element, read_html

REFERENCE = "TARE + immunotherapy"
EVIL = "<script>alert('1')</script> & \"2\""
replace = msgspec.structs.replace


def changed(report: Report, **changes: object) -> Report:
    return replace(report, result=replace(report.result, **changes))


def section(document: Element, anchor: str) -> Element:
    (found,) = (part for part in document.all("section") if part.attributes["id"] == anchor)
    return found


def rows(table: Element) -> list[list[str]]:
    return [
        [cell.text for cell in row.parts if isinstance(cell, Element)]
        for row in table.all("tbody")[0].all("tr")
    ]


@pytest.fixture(scope="module")
def text(report: Report, study: Study) -> str:
    return page(report, study)


@pytest.fixture(scope="module")
def document(text: str) -> Element:
    return read_html(text)


def test_it_says_first_what_was_found_and_that_everyone_is_invented(
    document: Element, report: Report
) -> None:
    (head,) = document.all("header")
    assert [found.text for found in head.all("h1")] == [report.result.title]
    assert "Among 418 invented patients, half died within" in head.text
    for arm in report.result.arms:
        assert f"{arm.median_months.estimate:.1f}" in head.text
        assert arm.arm in head.text
    assert "is no evidence for any arm" in head.text
    (caution,) = head.all("aside")
    assert "Everyone in here is invented." in caution.text
    for note in report.result.notes:
        assert note[1:] in caution.text
    assert "Everyone in here is invented." in document.all("footer")[0].text


def test_without_conditioning_the_answer_goes_by_the_test(report: Report, study: Study) -> None:
    network, test = replace(report.result.network, built={}), report.result.log_rank
    assert test is not None
    often = page(changed(report, network=network, log_rank=replace(test, p=0.4)), study)
    assert "chance alone often makes such differences (log-rank p\u00a0=\u00a00.400)" in often
    seldom = page(changed(report, network=network, log_rank=replace(test, p=1e-5)), study)
    assert "chance alone seldom makes such differences (log-rank p\u00a0&lt;\u00a00.001)" in seldom
    assert "patients of different arms may differ in other ways too" in seldom


def test_the_answer_fits_any_number_of_arms_and_medians(report: Report, study: Study) -> None:
    arms = report.result.arms
    open_ended = replace(arms[0].median_months, estimate=None, upper=None)
    never = replace(arms[0], median_months=open_ended, quantiles_months=())

    def said(*shown: ArmResult) -> str:
        return answer(replace(report.result, arms=shown, log_rank=None), study)

    low, high = (f"{arm.median_months.estimate:.1f}" for arm in (arms[3], arms[0]))
    assert said(arms[0]).endswith(f", half died within {high} months of tumour embolization.")
    many = [replace(arm, arm=f"{arm.arm} {place}") for place, arm in enumerate((*arms, *arms))]
    spread = f"within {low} to {high} months of tumour embolization, depending on the arm"
    assert said(*many).endswith(f"{spread}.")
    assert said(*many, never).endswith(f"{spread}; in 1 arm fewer than half.")
    assert said(never).endswith("fewer than half died while they were watched.")
    assert said(arms[3], arms[0]).endswith(
        f"half died within {low} months (TACE + chemotherapy) and {high} months "
        "(TARE + immunotherapy) of tumour embolization."
    )
    assert said(never, arms[3]).endswith(
        f"half died within {low} months (TACE + chemotherapy) of tumour embolization, "
        "and fewer than half in the arm TARE + immunotherapy."
    )
    assert "in the arms TARE + immunotherapy and other" in said(
        never, arms[3], replace(never, arm="other")
    )


def test_every_number_of_the_arms_is_the_results(document: Element, report: Report) -> None:
    (table, _quantiles) = section(document, "arms").all("table")
    assert rows(table) == [
        [
            arm.arm,
            str(arm.patients),
            str(arm.events),
            f"{arm.median_months.estimate:.1f} "
            f"({arm.median_months.lower:.1f}\u2013{arm.median_months.upper:.1f})",
            f"{arm.median_follow_up_months:.1f}",
            f"{arm.rmst_months.estimate:.1f} "
            f"({arm.rmst_months.lower:.1f}\u2013{arm.rmst_months.upper:.1f})",
        ]
        for arm in report.result.arms
        if arm.rmst_months is not None
    ]


def test_survival_at_landmarks_is_the_results(document: Element, report: Report) -> None:
    (table,) = section(document, "landmarks").all("table")
    for row, arm in zip(rows(table), report.result.arms, strict=True):
        for cell, mark in zip(row[1:], arm.survival, strict=True):
            if mark.estimate is None or mark.lower is None or mark.upper is None:
                assert cell == "nobody followed so long"
                continue
            interval = f"{100 * mark.lower:.0f}\u2013{100 * mark.upper:.0f}"
            assert cell == f"{100 * mark.estimate:.0f} ({interval}) {mark.at_risk} watched"


def test_contrasts_are_the_results(document: Element, report: Report) -> None:
    part, result = section(document, "contrasts"), report.result
    assert result.log_rank is not None
    assert f"chi-squared {result.log_rank.statistic:.2f}, 3 degrees" in part.text
    ratios, means, differences = part.all("table")
    for row, pair in zip(rows(ratios), result.hazard_ratios, strict=True):
        assert row[:2] == [pair.arm, pair.reference]
        assert row[2] == f"{pair.estimate:.2f} ({pair.lower:.2f}\u2013{pair.upper:.2f})"
        assert row[3:] == [f"{pair.p:.3f}", f"{pair.p_adjusted:.3f}"]
    assert len(rows(means)) == len(result.rmst_differences) == 6
    for row, mean in zip(rows(means), result.rmst_differences, strict=True):
        said = f"{mean.difference.estimate:z.1f}".replace("-", "\u2212")
        assert row[2].startswith(f"{said} (")
    assert len(rows(differences)) == 6


def two_arms(report: Report) -> Report:
    """The first two arms and what stands between them."""
    result = report.result
    names = {arm.arm for arm in result.arms[:2]}
    parts = {
        name: tuple(pair for pair in getattr(result, name) if {pair.arm, pair.reference} == names)
        for name in ("hazard_ratios", "rmst_differences", "survival_differences")
    }
    return changed(report, arms=result.arms[:2], **parts)


def test_several_pairs_are_corrected_for_and_one_is_not(
    document: Element, report: Report, study: Study
) -> None:
    four = section(document, "contrasts").text
    assert "Log-rank test that all 4 arms die" in four
    assert "Holm's: p made larger because 6 pairs were looked at." in four
    assert "Holm's p over all pairs" in four
    two = section(read_html(page(two_arms(report), replace(study, reported=None))), "contrasts")
    assert "Log-rank test that both arms die" in two.text
    assert "Holm" not in two.text
    (pair,) = rows(two.all("table")[0])
    assert len(pair) == 4


def test_a_difference_without_spread_has_no_interval_and_no_p(report: Report, study: Study) -> None:
    bare = ContrastResult(-0.625, None, None, None, None)
    first, *others = report.result.survival_differences
    differences = (replace(first, difference=bare), *others)
    part = section(
        read_html(page(changed(report, survival_differences=differences), study)), "contrasts"
    )
    assert rows(part.all("table")[2])[0][1] == "\u221262, no interval"
    assert "cut at 100 points" in part.text
    assert "the formula gives that arm no spread" in part.text


def test_an_arm_that_died_out_has_no_interval(report: Report, study: Study) -> None:
    arm, *others = report.result.arms
    gone = replace(arm.survival[-1], estimate=0.0, lower=0.0, upper=None, at_risk=0)
    died_out = replace(arm, survival=(*arm.survival[:-1], gone))
    document = read_html(page(changed(report, arms=(died_out, *others)), study))
    found = rows(section(document, "landmarks").all("table")[0])
    assert found[0][-1] == "0, no interval 0 watched"


def test_follow_up_is_what_would_have_been_if_nobody_had_had_the_outcome(
    document: Element,
) -> None:
    said = "half of the patients would have been watched if nobody had died"
    assert said in section(document, "arms").text


@pytest.mark.parametrize(
    ("release", "said"),
    [
        (
            "secure-sum",
            "within the arms, deaths and numbers still watched are exact, small ones too",
        ),
        ("platform", "A count of 1 to 10 is shown as 10, here and in the arms."),
        ("exact", None),
    ],
)
def test_it_says_what_becomes_of_small_counts(
    report: Report, study: Study, release: str, said: str | None
) -> None:
    threshold = find_release(release).threshold
    shown = replace(report.result.release, name=release, threshold=threshold)
    part = section(read_html(page(changed(report, release=shown), study)), "cohort")
    caption = part.all("figcaption")[0].text
    assert said is None or said in caption
    assert ("withheld" in caption) == (release == "secure-sum")
    assert ("1 to 10" in caption) == (said is not None)


def test_what_was_reported_stands_beside_what_was_found(document: Element, study: Study) -> None:
    part = section(document, "reported")
    assert study.reported is not None
    assert study.reported.source in part.text
    found = rows(part.all("table")[0])
    assert found[0] == ["Patients", "418", "418"]
    assert [row[1] for row in found[1:]] == ["38", "52", "36", "48", "33", "45", "30", "40"]


def test_who_was_asked_and_who_was_not_and_why(document: Element, report: Report) -> None:
    part, network = section(document, "network"), report.result.network
    assert [term.text for term in part.all("dt")] == [
        str(number) for number in (145, network.online, network.eligible, 68, network.answered)
    ]
    (table,) = part.all("table")
    assert sum(int(row[1]) for row in rows(table)) == 145 - 68
    assert "Everyone who was asked answered." in part.text


def test_who_did_not_answer_is_named(report: Report, study: Study) -> None:
    network = replace(report.result.network, failed=(LostSite("northfield", EVIL),), answered=67)
    part = section(read_html(page(changed(report, network=network), study)), "network")
    assert f"northfield: {EVIL}" in part.text


def test_a_network_in_which_everyone_was_asked(report: Report, study: Study) -> None:
    network = replace(
        report.result.network, organisations=68, online=68, not_eligible=(), with_matches=51
    )
    part = section(read_html(page(changed(report, network=network), study)), "network")
    assert part.all("table") == []
    assert "51hold a patient of the cohort" in part.text


def test_release_says_what_it_hides_and_what_it_does_not(document: Element, report: Report) -> None:
    part = section(document, "release").text
    for said in (*report.result.release.says, report.result.disclosure.says):
        assert said[1:] in part


def test_the_study_stands_there_in_words_and_as_a_trial(document: Element, study: Study) -> None:
    terms = [term.text for term in section(document, "trial").all("dt")]
    assert terms[0] == "Eligibility"
    assert len(terms) == 9
    words = section(document, "study").text
    question = study.question
    for name in (
        *(step.name for step in question.cohort.steps),
        *(arm.name for arm in question.arms),
        *(codes.name for codes in question.codes),
    ):
        assert name in words


def test_every_word_of_the_study_is_there_and_lines_that_were_wrapped_are_whole_again(
    document: Element, study: Study
) -> None:
    part = section(document, "study")
    lines = [found.text for found in part.everything() if found.tag in {"h3", "p"}]
    _title, rest = describe(study).split("\n\n", maxsplit=1)
    assert " ".join(lines).lower().split() == rest.lower().split()
    assert max(map(len, lines)) > 80
    assert "- ICD10CM C78.7, and all below it: spread to the liver and bile duct inside it" in lines


def test_fingerprints_versions_and_the_producer(document: Element, report: Report) -> None:
    part = section(document, "fingerprints").text
    for said in (report.run.result_fingerprint, *report.result.fingerprints.values()):
        assert said in part
    assert "the same version of cohortium give the same result, on any machine" in part
    for version in report.run.versions.values():
        assert version in part
    for site in report.result.network.roster:
        assert site in part
    assert f"Made by cohortium {report.run.versions['cohortium']}" in document.all("footer")[0].text


def test_it_needs_nothing_but_itself(text: str, document: Element) -> None:
    for found in document.everything():
        assert found.tag not in {"script", "link", "iframe", "object", "img", "base"}
        for name in found.attributes:
            assert not name.startswith("on")
            assert name not in {"src", "srcset", "action", "data"}
        for name in ("href", "xlink:href"):
            assert found.attributes.get(name, "#").startswith("#")
    assert "@import" not in text
    assert not re.findall(r"url\((?!#)", text)
    assert not re.findall(r"https?://", text)
    policies = [meta.attributes.get("content", "") for meta in document.all("meta")]
    assert "default-src 'none'; style-src 'unsafe-inline'" in policies


def test_every_name_is_used_once_and_every_link_leads_somewhere(document: Element) -> None:
    names = [part.attributes["id"] for part in document.everything() if "id" in part.attributes]
    assert len(names) == len(set(names))
    links = [part.attributes["href"][1:] for part in document.all("a")]
    assert len(links) == len(document.all("section"))
    assert set(links) <= set(names)
    for part in document.everything():
        for name in part.attributes.get("aria-labelledby", "").split():
            assert name in names


def test_no_piece_of_program_is_left_in_the_text(document: Element) -> None:
    (body,) = document.all("body")
    assert not re.search(r"[{}]|None|nan\b", body.text)


def test_the_same_result_gives_the_same_page(report: Report, study: Study, text: str) -> None:
    assert page(report, study) == text


def test_no_text_of_a_study_becomes_markup(report: Report, study: Study) -> None:
    result = report.result
    arms = tuple(replace(arm, arm=f"{EVIL}{place}") for place, arm in enumerate(result.arms))
    evil = changed(
        report,
        title=EVIL,
        study=EVIL,
        estimand=EVIL,
        notes=(EVIL,),
        arms=arms,
        hazard_ratios=tuple(replace(one, arm=EVIL, reference=EVIL) for one in result.hazard_ratios),
        cohort=replace(result.cohort, attrition=(AttritionStep(EVIL, 20), AttritionStep("b", 20))),
        network=replace(result.network, name=EVIL, roster=(EVIL,), failed=(LostSite(EVIL, EVIL),)),
        release=replace(result.release, says=(EVIL,), estimators=EVIL),
        disclosure=replace(result.disclosure, says=EVIL),
        fingerprints={EVIL: EVIL},
        frozen=FrozenResult(EVIL, EVIL, same=False, differs=(EVIL,)),
    )
    asked = replace(study, reported=None, title=EVIL)
    written = page(evil, asked)
    document = read_html(written)
    assert document.all("script") == []
    assert written.count("&lt;script&gt;") > 15
    assert document.all("h1")[0].text == EVIL


def test_what_was_not_released_is_said_in_words(report: Report, study: Study) -> None:
    few, hidden = Rounded(10, Between(1, 10)), Withheld(11, Of.DIFFERENCE)
    arm = replace(report.result.arms[0], patients=few, events=Withheld(11), censored=few)
    steps = (AttritionStep("a", 500), AttritionStep("b", hidden), AttritionStep("c", Withheld(11)))
    cohort = replace(report.result.cohort, patients=Withheld(11), attrition=steps)
    shown = changed(report, cohort=cohort, arms=(arm, *report.result.arms[1:]))
    document = read_html(page(shown, study))
    assert "Among withheld (1 to 10) invented patients" in document.all("header")[0].text
    (first, *_) = rows(section(document, "arms").all("table")[0])
    assert first[1:3] == ["shown as 10 (in truth 1 to 10)", "withheld (1 to 10)"]
    drawn = section(document, "cohort").text
    assert "withheld (it would give away a group of 1 to 10)" in drawn


def test_a_study_that_was_fixed_before_says_whether_it_still_is(
    report: Report, study: Study
) -> None:
    same = FrozenResult("2026-01-01T00:00:00+00:00", "0.1.0", same=True, differs=())
    said = read_html(page(changed(report, frozen=same), study)).all("aside")[0].text
    assert "fixed on 2026-01-01, before this run, and is unchanged." in said
    other = replace(same, same=False, differs=("arms", "code list"))
    said = read_html(page(changed(report, frozen=other), study)).all("aside")[0].text
    assert "has changed since: arms and code list." in said


def test_a_study_of_one_arm_has_nothing_to_hold_it_against(report: Report, study: Study) -> None:
    alone = changed(
        report,
        arms=report.result.arms[:1],
        log_rank=None,
        hazard_ratios=(),
        rmst_differences=(),
        survival_differences=(),
    )
    document = read_html(page(alone, replace(study, reported=None)))
    anchors = {part.attributes["id"] for part in document.all("section")}
    assert anchors.isdisjoint({"contrasts", "reported", "subgroups"})
    assert "half died within" in document.all("header")[0].text


def level(name: str, estimate: float) -> LevelResult:
    found = HazardRatioResult("b", REFERENCE, estimate, estimate / 2, estimate * 2, 0.25, None)
    return LevelResult(name, (LevelArm(REFERENCE, 50, 20), LevelArm("b", 60, 30)), (found,))


def test_subgroups_are_drawn_and_counted(report: Report, study: Study) -> None:
    shown = SubgroupResult(
        EVIL,
        (level("women", 0.8), level("men", 1.2)),
        (LevelArm("a", 3, 1), LevelArm("b", 0, 0)),
        InteractionResult(4.0, 1, 0.0455),
    )
    part_of = Withheld(11, Of.PART)
    hidden = SubgroupResult("age", part_of, part_of, part_of, "a group has fewer than 11 patients")
    document = read_html(page(changed(report, subgroups=(shown, hidden)), study))
    part = section(document, "subgroups")
    drawn = part.all("svg")[0].text
    assert "<script>" in drawn
    assert "1.20 (0.60\u20132.40)" in drawn
    (table,) = part.all("table")
    assert rows(table) == [
        [f"women: {REFERENCE}", "50", "20", "1, the reference", ""],
        ["women: b", "60", "30", "0.80 (0.40\u20131.60)", "0.250"],
        [f"men: {REFERENCE}", "50", "20", "1, the reference", ""],
        ["men: b", "60", "30", "1.20 (0.60\u20132.40)", "0.250"],
        ["in no group: a", "3", "1", "", ""],
    ]
    assert "chi-squared 4.00, 1 degree of freedom, p\u00a0=\u00a00.045" in part.text
    assert "Withheld (it would give away a group of 1 to 10)." in part.text
    assert "Reason: a group has fewer than 11 patients." in part.text


def test_another_outcome_has_its_own_words(report: Report) -> None:
    asked = read_study("metformin-or-insulin")
    document = read_html(page(changed(report, title=asked.title), asked))
    assert section(document, "survival").all("h2")[0].text == "Time without chronic kidney disease"
    assert "half had chronic kidney disease within" in document.all("header")[0].text
    assert "died" not in section(document, "arms").text.lower()


def test_the_files_are_the_page_and_the_figure(report: Report, study: Study, text: str) -> None:
    made = files(report, study)
    assert set(made) == {"report.html", "survival.svg", "survival.png"}
    assert made["report.html"].decode() == text
    assert b"418 invented patients, 68 of 145 invented hospitals" in made["survival.svg"]
