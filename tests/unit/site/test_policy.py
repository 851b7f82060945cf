"""What a policy objects to, field by field; a policy that cannot be read allows nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from simulator.aggregates.grid import Grid, Unit
from simulator.bundled import find, names
from simulator.errors import UserError
from simulator.messages.describing import FollowUpNeed
from simulator.messages.needs import Need, SurvivalNeed
from simulator.messages.requests import ReleaseTerms
from simulator.privacy import releases
from simulator.privacy.release import Release
from simulator.privacy.releases import EXACT, SECURE_SUM
from simulator.site import policy as policy_module
from simulator.site.policy import LABORATORY, Policy, objection, read_policy
from tests.unit.site.doors import NEEDS, STANDARD, request

BY_DAY = SurvivalNeed(Grid(Unit.DAY, 12))
TEXT = """\
policy: strict
version: 2
releases: [secure-sum, platform]
masked only: false
finest time bin: day
least persons: 7
least roster: 4
network threshold: 5
"""


def test_what_fits_is_not_objected_to() -> None:
    assert objection(STANDARD, request(), 10, masked=True) is None


# Each line makes one field of the policy stricter than the request, and nothing else.
@pytest.mark.parametrize(
    ("stricter", "reason"),
    [
        ({"releases": ("exact",)}, "its policy does not allow the release 'secure-sum'"),
        ({"releases": ()}, "its policy does not allow the release 'secure-sum'"),
        (
            {"network_threshold": 12},
            "its policy asks for a network threshold of at least 12; the request names 11",
        ),
        (
            {"least_roster": 4},
            "its policy asks for at least 4 sites in a run; the request names 3",
        ),
        (
            {"least_persons": 11},
            "its policy asks for at least 11 persons in its database",
        ),
        (
            {"masked_only": False, "clear_only": True},
            "its policy lets answers out only in the clear, not as part of a sum",
        ),
    ],
)
def test_a_stricter_policy_objects(stricter: dict[str, object], reason: str) -> None:
    policy = msgspec.structs.replace(STANDARD, **stricter)
    assert objection(policy, request(), 10, masked=True) == reason


@pytest.mark.parametrize(
    ("stricter", "reason"),
    [
        ({"masked_only": True}, "its policy lets answers out only as part of a sum"),
        ({"finest_bin": Unit.MONTH}, "its policy lets out survival by month at the finest"),
    ],
)
def test_a_stricter_policy_objects_to_raw_answers(stricter: dict[str, object], reason: str) -> None:
    asked = request(terms=ReleaseTerms("exact", 1), needs=(*NEEDS[:2], BY_DAY))
    assert objection(LABORATORY, asked, 0, masked=False) is None
    assert (
        objection(msgspec.structs.replace(LABORATORY, **stricter), asked, 0, masked=False) == reason
    )


@pytest.mark.parametrize("need", [SurvivalNeed(Grid(Unit.MONTH, 12)), FollowUpNeed(12)])
def test_months_are_finer_than_the_quarters_of_a_policy(need: Need) -> None:
    asked = request(needs=(*NEEDS[:2], need))
    assert objection(STANDARD, asked, 10, masked=True) is None
    by_quarter = msgspec.structs.replace(STANDARD, finest_bin=Unit.QUARTER)
    reason = "its policy lets out survival by quarter at the finest"
    assert objection(by_quarter, asked, 10, masked=True) == reason
    for fits in (SurvivalNeed(Grid(Unit.QUARTER, 12)), FollowUpNeed(12, Unit.YEAR)):
        coarse = request(needs=(*NEEDS[:2], fits))
        assert objection(by_quarter, coarse, 10, masked=True) is None


@pytest.mark.parametrize(
    "release",
    [one for one in releases.RELEASES.values() if not one.by_day],
    ids=lambda release: release.name,
)
def test_by_day_only_under_a_release_that_is_by_day(release: Release) -> None:
    """Whatever the policy allows: the laboratory's own allows every bin."""
    terms = ReleaseTerms(
        release.name, release.version, release.threshold, release.place, release.noise
    )
    asked = request(terms=terms, needs=(BY_DAY,))
    reason = f"the release '{release.name}' lets out no survival by day"
    masked = releases.is_masked(release, release.place)
    assert objection(LABORATORY, asked, 0, masked=masked) == reason
    months = msgspec.structs.replace(asked, needs=NEEDS[2:])
    assert objection(LABORATORY, months, 0, masked=masked) is None


@pytest.mark.parametrize(
    "name", [name for name, one in releases.RELEASES.items() if one.laboratory_only]
)
def test_a_policy_cannot_name_what_is_for_the_laboratory(tmp_path: Path, name: str) -> None:
    (tmp_path / "policy.yaml").write_text(TEXT.replace("platform]", f"{name}]"))
    with pytest.raises(UserError) as caught:
        read_policy(tmp_path / "policy.yaml")
    assert (
        "policy.yaml:3:24: releases[1]: expected 'secure-sum', 'secure-steps', 'dp' or 'platform'; "
        f"found '{name}', which is for the laboratory only"
    ) in str(caught.value)


def test_an_equal_or_looser_policy_does_not_object() -> None:
    for looser in (
        {"network_threshold": 10},
        {"least_roster": 2},
        {"least_persons": 9},
        {"finest_bin": Unit.DAY},
        {"masked_only": False},
        {"releases": ("secure-sum", "exact")},
    ):
        policy = msgspec.structs.replace(STANDARD, **looser)
        assert objection(policy, request(), 10, masked=True) is None


@pytest.mark.parametrize("persons", [0, 10, 10**9])
def test_without_a_policy_everything_is_refused(persons: int) -> None:
    reason = "its policy is missing or cannot be read, so nothing is let out"
    assert objection(None, request(), persons, masked=True) == reason


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        (ReleaseTerms("secure-sums", 1, 11), "'secure-sums' in version 1"),
        (ReleaseTerms("secure-sum", 2, 11), "'secure-sum' in version 2"),
        (ReleaseTerms("secure-sum", 0, 11), "'secure-sum' in version 0"),
    ],
)
def test_a_release_that_it_does_not_know_is_refused(terms: ReleaseTerms, told: str) -> None:
    for policy in (STANDARD, LABORATORY):
        reason = f"it does not know the release {told}"
        assert objection(policy, request(terms=terms), 10, masked=True) == reason


def test_a_request_that_a_release_does_not_treat_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    narrower = msgspec.structs.replace(SECURE_SUM, treatments={})
    monkeypatch.setitem(releases.RELEASES, "secure-sum", narrower)
    told = "the release 'secure-sum' does not say what happens to such a request"
    assert objection(STANDARD, request(), 10, masked=True) == told


def test_a_refusal_never_depends_on_the_data() -> None:
    """Only the policy, the request and the size in the catalogue are looked at."""
    given = list(objection.__annotations__)
    assert given == ["policy", "request", "persons", "masked", "return"]


def test_a_policy_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(TEXT)
    assert read_policy(tmp_path / "policy.yaml") == Policy(
        name="strict",
        version=2,
        releases=("secure-sum", "platform"),
        masked_only=False,
        finest_bin=Unit.DAY,
        least_persons=7,
        least_roster=4,
        network_threshold=5,
    )


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("platform]", "raw]", "policy.yaml:3:24: releases[1]: there is no release 'raw'"),
        ("version: 2", "version: 0", "policy.yaml:2:10: version: expected at least 1; found 0"),
        ("false", "perhaps", "masked only: expected 'true' or 'false'; found 'perhaps'"),
        ("bin: day", "bin: week", "expected 'day', 'month', 'quarter' or 'year'; found 'week'"),
        ("persons: 7", "persons: -1", "least persons: expected at least 0; found -1"),
        ("roster: 4", "roster: 0", "least roster: expected at least 1; found 0"),
        ("threshold: 5", "threshold: some", "expected a whole number; found 'some'"),
        ("least roster: 4\n", "", "the key 'least roster' is missing"),
        ("least roster", "last roster", "unknown key 'last roster'"),
        ("policy: strict", "policy: [", "this is not YAML"),
    ],
)
def test_a_policy_that_does_not_fit_is_told_with_its_place(
    tmp_path: Path, was: str, now: str, said: str
) -> None:
    assert was in TEXT
    (tmp_path / "policy.yaml").write_text(TEXT.replace(was, now))
    with pytest.raises(UserError) as caught:
        read_policy(tmp_path / "policy.yaml")
    assert said in str(caught.value)


def test_the_shipped_policies_can_be_read_and_allow_what_runs_by_default() -> None:
    for name in names("sites/policies"):
        policy = read_policy(find("sites/policies", name))
        assert policy.name == name
        assert EXACT.name not in policy.releases
        assert policy.masked_only
        assert objection(policy, request(roster=tuple("abcdefgh")), 10_000, masked=True) is None


def test_the_laboratory_allows_every_release() -> None:
    assert set(policy_module.LABORATORY.releases) == set(releases.RELEASES)
