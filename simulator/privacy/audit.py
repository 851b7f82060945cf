"""Puts a claim of differential privacy to the test: how much privacy loss do outputs show?

Of many outputs on two neighbouring inputs, some choose an event that tells the inputs apart well;
on the others, how often it happens bounds epsilon from below, whatever the event. What is found is
a fault if it is above the claim; what is not found proves nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Outputs = NDArray[np.number]

_MOST_VALUES: Final = 64
_MANTISSA: Final = 53


def lower_bound(
    outputs_one: Outputs, outputs_other: Outputs, *, confidence: float = 0.999, delta: float = 0.0
) -> float:
    """An epsilon that the mechanism exceeds, with that confidence, if it has that delta.

    Events are "at most t", "above t" and "t itself" for values t of the output, and, as a rounded
    number shows where it was rounded (Mironov 2012), of the place of its last binary digit.

    Args:
        outputs_one: Independent outputs on one input. Shape (n,), n at least 2.
        outputs_other: The same on its neighbour.
        confidence: That the bound is true. Range: (0, 1).
        delta: The claimed delta.

    Returns:
        At least 0. Every other output chooses the event; the rest give the bounds of its two
        chances (Clopper and Pearson 1934), p from below and r from above: ln((p - delta) / r).

    Raises:
        ValueError: There are too few outputs, or the confidence or the delta is out of range.
    """
    if min(len(outputs_one), len(outputs_other)) < 2:
        raise ValueError("expected at least 2 outputs on each input")
    if not (0 < confidence < 1 and 0 <= delta < 1):
        raise ValueError(
            "expected a confidence above 0 and below 1, and a delta of at least 0 and below 1; "
            f"found {confidence} and {delta}"
        )
    values = _values(np.concatenate([outputs_one[::2], outputs_other[::2]]))
    chosen = _losses(outputs_one[::2], outputs_other[::2], values, 1 - confidence, delta)
    held_out = _losses(outputs_one[1::2], outputs_other[1::2], values, 1 - confidence, delta)
    return max(0.0, float(held_out.flat[int(np.argmax(chosen))]))


def _features(outputs: Outputs) -> tuple[Outputs, ...]:
    """The outputs, and where their last binary digits stand."""
    if np.issubdtype(outputs.dtype, np.integer):
        return (outputs,)
    mantissa, exponent = np.frexp(outputs)
    whole = np.abs(mantissa * 2.0**_MANTISSA).astype(np.int64)
    _, lowest = np.frexp((whole & -whole).astype(np.float64))
    return outputs, (exponent + lowest).astype(np.int64)


def _values(outputs: Outputs) -> list[Outputs]:
    """For each feature, up to 64 of its values, spread over all outputs evenly."""
    found: list[Outputs] = []
    for feature in _features(outputs):
        values = np.unique(np.sort(feature)[:: max(1, len(feature) // (8 * _MOST_VALUES))])
        places = np.linspace(0, len(values) - 1, min(len(values), _MOST_VALUES))
        found.append(values[places.astype(np.int64)])
    return found


def _happened(outputs: Outputs, values: list[Outputs]) -> NDArray[np.int64]:
    """How often each event happened."""
    counts = []
    for feature, known in zip(_features(outputs), values, strict=True):
        ordered = np.sort(feature)
        up_to = np.searchsorted(ordered, known, side="right")
        counts += [up_to, len(outputs) - up_to, up_to - np.searchsorted(ordered, known)]
    return np.concatenate(counts)


def _losses(
    one: Outputs, other: Outputs, values: list[Outputs], doubt: float, delta: float
) -> NDArray[np.float64]:
    """The lower bound from each event, both ways round. Shape (2, events)."""
    from scipy.special import betaincinv  # takes a third of a second to import

    ways = ((one, other), (other, one))
    found = np.empty((2, sum(3 * len(known) for known in values)))
    for way, (more, less) in enumerate(ways):
        often, seldom = _happened(more, values), _happened(less, values)
        missed, spared = len(more) - often, len(less) - seldom
        at_least = betaincinv(np.maximum(often, 1), missed + 1, doubt / 2) * (often > 0)
        at_most = np.where(
            spared > 0, betaincinv(seldom + 1, np.maximum(spared, 1), 1 - doubt / 2), 1.0
        )
        chance = np.maximum(at_least - delta, 0.0)
        with np.errstate(divide="ignore"):
            found[way] = np.log(chance / at_most)
    return found
