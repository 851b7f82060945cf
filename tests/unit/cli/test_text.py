"""A plan says when so few sites are asked that they are likely to refuse."""

from __future__ import annotations

import pytest

from simulator.cli.text import print_plan
from simulator.privacy.releases import EXACT, SECURE_SUM, Release
from tests.unit.hub.wires import plan_of, study


@pytest.mark.parametrize(
    ("sites", "release", "warns"),
    [
        (("a",), SECURE_SUM, True),
        (("a", "b"), SECURE_SUM, True),
        (("a", "b", "c"), SECURE_SUM, False),
        (("a",), EXACT, False),
    ],
)
def test_few_sites_are_said_to_be_few(
    capsys: pytest.CaptureFixture[str], sites: tuple[str, ...], release: Release, *, warns: bool
) -> None:
    print_plan(plan_of(study(), sites, release))
    said = " ".join(capsys.readouterr().out.split())
    assert f"{len(sites)} eligible and asked" in said
    told = "few sites: policies usually ask for more in a run; `--release exact` shows it in the"
    assert (told in said) is warns
