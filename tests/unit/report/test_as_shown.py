"""The page of a result whose counts a rule has changed: bounds, and no interval anywhere."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from simulator.hub.result import Report
from simulator.language.study import Study
from simulator.network import connect, find_network
from simulator.privacy.offers import NOT_CHANCE
from simulator.privacy.release import Place, Release
from simulator.privacy.releases import RELEASES, placed
from simulator.report.page import page
from simulator.report.words import brief
from simulator.report.write import files
from tests.support.html import Element, read_html
from tests.unit.report.test_page import rows, section

CHANGED = (RELEASES["secure-steps"], placed(RELEASES["midpoint-6"], Place.NETWORK))


@pytest.fixture(scope="module", params=CHANGED, ids=lambda release: release.name)
def shown(request: pytest.FixtureRequest, as_reported: Path, study: Study) -> Report:
    release: Release = request.param
    network = find_network(str(as_reported), as_reported.parent)
    with connect(
        network,
        laboratory=True,
        jobs=2,
        seconds=60.0,
        clock=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        seed=1,
    ) as client:
        return client.run(study, release, run="a" * 32)


@pytest.fixture(scope="module")
def document(shown: Report, study: Study) -> Element:
    return read_html(page(shown, study))


def test_there_is_no_interval_and_no_test(document: Element) -> None:
    (body,) = document.all("body")
    assert not re.search(r"95\s%", body.text)
    assert "contrasts" not in {part.attributes["id"] for part in document.all("section")}
    for part in ("survival", "arms", "landmarks"):
        assert NOT_CHANCE in section(document, part).text
    assert "their bounds stand below" in document.all("header")[0].text


def test_the_arms_are_as_large_as_they_were_counted(document: Element, shown: Report) -> None:
    (table, *_) = section(document, "arms").all("table")
    for row, arm in zip(rows(table), shown.result.arms, strict=True):
        assert isinstance(arm.patients, int)
        assert row[1] == str(arm.patients)
        assert arm.patients in {167, 42, 165, 39}  # midpoints of 167 and 42 are 165 and 39
        assert "in truth" in row[3]


def test_a_curve_that_a_rule_brought_to_0_is_told_by_its_bounds(
    document: Element, shown: Report
) -> None:
    (table, *_) = section(document, "landmarks").all("table")
    cells = [cell for row in rows(table) for cell in row[1:]]
    marks = [mark for arm in shown.result.arms for mark in arm.survival]
    open_ended = [not mark.estimate for mark in marks]
    assert any(open_ended)
    for cell, mark, is_open in zip(cells, marks, open_ended, strict=True):
        assert f"{brief(mark.at_risk)}" in cell
        assert ("bounds" in cell) is not is_open
        assert not is_open or re.match(r"0\N{EN DASH}\d\d", cell)


def test_the_figure_has_a_region_and_a_line_in_a_panel_for_each_arm(
    shown: Report, study: Study, document: Element
) -> None:
    assert "hatched region" in section(document, "survival").text
    drawn = files(shown, study)["survival.svg"].decode()
    for place, arm in enumerate(shown.result.arms, 1):
        assert f'id="axes_{place}"' in drawn
        assert arm.arm in drawn
    assert drawn.count("stroke-width: 2.2") == len(shown.result.arms)
