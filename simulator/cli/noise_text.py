"""Says how much noise is in counts, once for all of a kind, and under which release they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from simulator.aggregates.released import Noisy, Released

if TYPE_CHECKING:
    from simulator.hub.result import ReleaseResult


def noise_said(counts: Mapping[str, Iterable[Released]]) -> tuple[str, ...]:
    """A sentence on the error that noise leaves in counts; none where no count has any.

    Args:
        counts: Released counts, by what they count.
    """
    told = {
        kind: [count.standard_error for count in found if isinstance(count, Noisy)]
        for kind, found in counts.items()
    }
    ranges = [f"{_from_to(errors)} ({kind})" for kind, errors in told.items() if errors]
    if not ranges:
        return ()
    return (f"Noise: ~ marks an estimate, of root mean squared error {', '.join(ranges)}.",)


def _from_to(errors: list[float]) -> str:
    low, high = f"{min(errors):.1f}", f"{max(errors):.1f}"
    return low if low == high else f"{low} to {high}"


def release_said(release: ReleaseResult) -> str:
    """A release with what was chosen of it: ``dp, epsilon 3`` or ``shrine at each site``."""
    from simulator.privacy.releases import RELEASES

    if release.noise is not None:
        return f"{release.name}, epsilon {release.noise.epsilon}"
    known = RELEASES.get(release.name)
    if known is None or not known.rule:
        return release.name
    where = "at each site" if release.place == "site" else "once, on the sum"
    return f"{release.name} {where}"
