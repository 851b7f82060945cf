"""What every result says besides its numbers: the network, the release, the notes, the run."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final

from simulator.aggregates.grid import Unit
from simulator.hub.exchanging import Traffic
from simulator.hub.planner import Plan
from simulator.hub.result import LostSite, NetworkResult, ReleaseResult, RunRecord
from simulator.hub.run import Finished
from simulator.messages.requests import roster_hash
from simulator.privacy.releases import Release
from simulator.privacy.rules.registry import RULES

_CONDITIONED: Final = (
    "this network was drawn until it shows the reported figures; its p-values, intervals and "
    "power mean nothing beyond it"
)


@dataclass(frozen=True)
class Settings:
    """What a client knows of its network besides the wire.

    Attributes:
        network: The network's name.
        sites: The names of all its sites, in the network's order.
        conditioned: Whether its data were drawn until they showed a given result.
        laboratory: Whether the sites' policies were replaced by the laboratory's.
        engine: What carries the messages.
        fingerprints: What identifies the network's data.
        built: What the network's databases were built from.
        seed: What all chance follows from, in the laboratory; None where it comes from the system.
    """

    network: str
    sites: tuple[str, ...]
    conditioned: bool
    laboratory: bool
    engine: str
    fingerprints: Mapping[str, str]
    built: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None


def network_of(plan: Plan, finished: Finished, settings: Settings) -> NetworkResult:
    """Who is in the network, who was asked, who answered, and who did not."""
    return NetworkResult(
        name=settings.network,
        organisations=len(settings.sites),
        online=plan.online,
        eligible=len(plan.roster),
        asked=len(plan.roster),
        answered=len(finished.roster),
        not_eligible=plan.grounds(),
        failed=tuple(LostSite(loss.site, loss.reason) for loss in finished.lost),
        with_matches=finished.opened[0].sites_with_matches,
        roster=finished.roster,
        built=dict(settings.built),
    )


def release_of(release: Release, settings: Settings, estimators: str) -> ReleaseResult:
    """Under which release the numbers stand."""
    return ReleaseResult(
        name=release.name,
        version=release.version,
        place=str(release.place),
        threshold=release.threshold,
        estimators=estimators,
        says=release.says,
        secure_aggregation=release.masked,
        laboratory=settings.laboratory,
        noise=release.noise,
        parameters=RULES[release.rule].parameters if release.rule else {},
    )


def notes_of(plan: Plan, finished: Finished, settings: Settings) -> list[str]:
    """What is to be known of any run."""
    notes = []
    if settings.laboratory:
        notes.append("laboratory: the sites' own policies were not asked")
    if settings.seed is not None:
        notes.append(
            f"not private: masks and noise follow from the seed {settings.seed}, and whoever knows "
            "it can take them away"
        )
    if settings.conditioned:
        notes.append(_CONDITIONED)
    if finished.lost:
        names = ", ".join(loss.site for loss in finished.lost)
        if finished.attempts > 1:
            notes.append(
                f"started anew without {names}: the sums before and after differ by "
                f"{'that site' if len(finished.lost) == 1 else 'those sites'}"
            )
        else:
            notes.append(f"went on without {names}: nothing had been opened before")
    if plan.unit not in {Unit.DAY, Unit.MONTH}:
        notes.append(
            f"by {plan.unit}: some sites let survival out in no finer time bins, so all were asked "
            "for these"
        )
    if plan.unknown:
        most = max(plan.unknown.values())
        notes.append(
            f"{len(plan.unknown)} of the study's codes are unknown at some of the "
            f"{len(plan.roster)} sites (at most {most}): their facts cannot be found there"
        )
    return notes


def fingerprints_of(
    finished: Finished, settings: Settings, asked: Mapping[str, str]
) -> dict[str, str]:
    """What identifies the question that was asked, the sites, and the network's data."""
    return {**asked, "roster": roster_hash(finished.roster), **settings.fingerprints}


def record_of(
    finished: Finished,
    traffic: Traffic,
    settings: Settings,
    *,
    run: str,
    started: dt.datetime,
    ended: dt.datetime,
    fingerprint: str,
) -> RunRecord:
    """What happened this time."""
    return RunRecord(
        run=run,
        engine=settings.engine,
        started=started.isoformat(timespec="seconds"),
        seconds=round((ended - started).total_seconds(), 3),
        attempts=finished.attempts,
        rounds=len(finished.opened),
        bytes_sent=traffic.sent,
        bytes_received=traffic.received,
        versions={name: version(name) for name in ("cohortium", "duckdb", "numpy")},
        host={"python": platform.python_version(), "machine": platform.machine()},
        result_fingerprint=fingerprint,
        warnings=finished.warnings,
        spent=dict(finished.spent),
    )
