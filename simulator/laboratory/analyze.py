"""Measures, in the laboratory, what a study costs each site: rows, bytes, milliseconds by step."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Callable, Iterable

import msgspec

from simulator.hub.requesting import round_request
from simulator.hub.sizes import sizes_at_sites
from simulator.language.study import Study
from simulator.messages.codec import encode
from simulator.messages.needs import in_order
from simulator.network import BuiltNetwork, connect
from simulator.privacy.releases import Release
from simulator.site.profiling import SiteProfile, Step, profile_site


class Spread(msgspec.Struct, frozen=True):
    """A quantity over sites."""

    median: float
    most: float
    total: float


class StepSummary(msgspec.Struct, frozen=True):
    """One step over all sites; what a step does not have is None.

    The fields are those of `simulator.site.profiling.Step`.
    """

    step: str
    within: str | None
    milliseconds: Spread
    rows: Spread | None
    estimated_rows: Spread | None
    bytes: Spread | None
    estimated_bytes: Spread | None


class Analysis(msgspec.Struct, frozen=True):
    """What a study cost.

    Attributes:
        schema: The version of this form.
        laboratory: Always true: what each site holds shows in its counts.
        study: The study's name.
        network: The network's name.
        release: The release that decides which tables are asked for.
        summary: Each step over all sites and rounds, in order.
        sites: Each site and round, in roster order.
    """

    schema: int
    laboratory: bool
    study: str
    network: str
    release: str
    summary: tuple[StepSummary, ...]
    sites: tuple[SiteProfile, ...]

    def slowest(self, number: int) -> tuple[SiteProfile, ...]:
        """The sites that took longest, longest first."""
        return tuple(sorted(self.sites, key=lambda site: -site.milliseconds)[:number])


def analyze(
    study: Study,
    network: BuiltNetwork,
    release: Release,
    *,
    seconds: float,
    clock: Callable[[], dt.datetime],
    timer: Callable[[], float],
    progress: Callable[[str, int], None] = lambda _site, _of: None,
) -> Analysis:
    """Sends a study's rounds to each eligible site, one after the other, and measures every step.

    Args:
        study: The study.
        network: A network whose sites are folders here.
        release: Decides which tables are asked for; no policy is asked.
        seconds: The deadline for catalogues.
        clock: The time in UTC.
        timer: The time in seconds, from any start.
        progress: Is called with each site that is done and their number.

    Raises:
        UserError: The study does not fit the network, or a site has no database.
        TooFewAnswers: No site is eligible.
    """
    client = connect(network, laboratory=True, jobs=1, seconds=seconds, clock=clock)
    plan = client.plan(study, release)
    rounds = [
        (encode(round_request(plan, "0" * 34, plan.roster, place + 1, in_order(needs))), sizes)
        for place, (needs, sizes) in enumerate(
            zip(plan.needs, sizes_at_sites(plan, masked=False), strict=True)
        )
    ]
    found = []
    for site in plan.roster:
        for data, sizes in rounds:
            found.append(profile_site(network.folder_of(site), data, sizes[site], timer))
        progress(site, len(plan.roster))
    return Analysis(
        schema=1,
        laboratory=True,
        study=study.name,
        network=network.name,
        release=release.name,
        summary=summarize(found),
        sites=tuple(found),
    )


def summarize(sites: Iterable[SiteProfile]) -> tuple[StepSummary, ...]:
    """Each step over all sites, in the order in which sites have them."""
    steps: dict[tuple[str | None, str], list[Step]] = {}
    for site in sites:
        for step in site.steps:
            steps.setdefault((step.within, step.step), []).append(step)
    return tuple(
        StepSummary(
            step,
            within,
            _spread_of([one.milliseconds for one in found]),
            _spread([one.rows for one in found]),
            _spread([one.estimated_rows for one in found]),
            _spread([one.bytes for one in found]),
            _spread([one.estimated_bytes for one in found]),
        )
        for (within, step), found in steps.items()
    )


def _spread(values: list[int | None]) -> Spread | None:
    known = [float(value) for value in values if value is not None]
    return _spread_of(known) if known else None


def _spread_of(values: list[float]) -> Spread:
    return Spread(statistics.median(values), max(values), sum(values))
