"""Noise drawn from a source of bytes, for the emulation of rules that other systems have.

Real-valued noise that is rounded afterwards, as those systems draw it: nothing here is claimed to
be differentially private.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.sources import ByteSource

Reals = NDArray[np.float64]


def uniforms(source: ByteSource, size: int) -> Reals:
    """Numbers spread evenly over (0, 1), in steps of 2^-52, neither end included; shape (size,)."""
    words = np.frombuffer(source(8 * size), dtype="<u8")
    # Half a step keeps away from both ends.
    spread: Reals = ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    return spread


def normals(source: ByteSource, size: int, sigma: float) -> Reals:
    """Normal noise of mean 0 and that standard deviation (Box & Muller 1958); shape (size,)."""
    radius = np.sqrt(-2.0 * np.log(uniforms(source, size)))
    noise: Reals = sigma * radius * np.cos(2.0 * np.pi * uniforms(source, size))
    return noise


def laplaces(source: ByteSource, size: int, scale: float) -> Reals:
    """Laplace noise of mean 0 and that scale, by the inverse of its distribution; shape (size,)."""
    centred = uniforms(source, size) - 0.5
    noise: Reals = -scale * np.sign(centred) * np.log1p(-2.0 * np.abs(centred))
    return noise


def below(source: ByteSource, size: int, end: int) -> NDArray[np.int64]:
    """Whole numbers from 0 up to, not including, the end, alike likely to 1 in 2^52 / end."""
    drawn: NDArray[np.int64] = np.floor(uniforms(source, size) * end).astype(np.int64)
    return drawn
