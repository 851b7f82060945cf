"""What a release does to tables at the site itself, before they leave it: a rule, or noise."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.table import Table
from simulator.messages.needs import AttritionNeed, kind_of
from simulator.messages.noise import noise_scales, parts_of
from simulator.messages.requests import RoundRequest
from simulator.privacy.noise.laws import Mechanism
from simulator.privacy.noise.shares import laplace_share, skellam_share
from simulator.privacy.release import Release
from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rule import Cells, Repeats
from simulator.privacy.sources import ByteSource
from simulator.privacy.spending import Scale
from simulator.site.chance import Chance


def with_noise(
    request: RoundRequest, tables: Sequence[Table], source: ByteSource
) -> tuple[Table, ...]:
    """The tables with this site's share of the noise in every cell.

    Each patient stands in one cell of a table. Of attrition, that is how many came just so far; it
    is summed up to steps again, and the noise with it.

    Args:
        request: What was asked, with the noise.
        tables: The exact table for each need.
        source: Where the noise comes from; new in each run.
    """
    scales, parts = noise_scales(request), parts_of(request)
    found = []
    for need, table in zip(request.needs, tables, strict=True):
        noise = _share(table.layout.cells, scales[kind_of(need)], parts, source)
        if isinstance(need, AttritionNeed):
            noise = np.cumsum(noise[::-1])[::-1]
        found.append(Table.from_flat(table.layout, table.flat() + noise))
    return tuple(found)


def _share(size: int, scale: Scale, parts: int, source: ByteSource) -> NDArray[np.int64]:
    if scale.mechanism is Mechanism.LAPLACE:
        return laplace_share(size, scale.parameter, parts, source)
    return skellam_share(size, scale.parameter, parts, source)


def same_again(request: RoundRequest, state: str) -> tuple[tuple[str, ...], ...]:
    """What each need of a request has in common with itself when it is asked again.

    That is the question, the need and the release. Who else is asked, what else, and the network
    threshold have no part in a site's own table, but whoever asks could write there what they like
    to have the noise drawn anew.

    Args:
        request: What is asked.
        state: What changes when the site's database does.
    """
    terms = request.release
    asked = (request.question, terms.name, terms.version, terms.place)
    return tuple(
        (hashlib.sha256(msgspec.msgpack.encode((need, *asked))).hexdigest(), state)
        for need in request.needs
    )


def by_rule(
    release: Release,
    tables: Sequence[Table],
    keys: Sequence[Table] | None,
    chance: Chance,
    fresh: tuple[str, ...],
    same: Sequence[tuple[str, ...]],
) -> tuple[Cells, ...]:
    """What a release's rule lets out of each table.

    Args:
        release: The release, whose rule is applied at sites.
        tables: The exact table for each need.
        keys: For the rule that needs them, the sum of the records' keys in each cell.
        chance: The site's chance.
        fresh: What is new in this request, for noise that is new each time.
        same: `same_again` of the request, for noise that stays.
    """
    rule = RULES[release.rule]
    if rule.repeats is Repeats.SAME:
        sources = [chance.sticky("rule", *names) for names in same]
    else:
        sources = [chance.fresh("rule", *fresh)] * len(tables)
    return tuple(
        rule.apply(table.flat(), source, None if keys is None else keys[place].flat())
        for place, (table, source) in enumerate(zip(tables, sources, strict=True))
    )
