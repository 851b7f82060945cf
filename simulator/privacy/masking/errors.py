"""What can go wrong in a masked round, as one family of errors."""

from __future__ import annotations


class MaskingError(ValueError):
    """A step of the protocol is refused; says what was expected and what was found."""


class TooFew(MaskingError):
    """Fewer sites are left than the threshold; the round ends and its sum is not opened."""


class RingOverflow(MaskingError, OverflowError):
    """A value is so large that a sum over all sites might not fit the ring."""
