"""Opens a round whose answers came in the clear."""

from __future__ import annotations

import os
from collections.abc import Sequence

from simulator.hub.aggregator import Opened, open_sums
from simulator.hub.answers import Answered, add_up, sites_with_matches
from simulator.messages.requests import RoundRequest
from simulator.privacy.release import Release


def open_round(request: RoundRequest, release: Release, answers: Sequence[Answered]) -> Opened:
    """Adds answers up and releases the sums."""
    matches = sites_with_matches(request, answers, release)
    sums = add_up(request, answers)
    return open_sums(request, release, sums, len(answers), os.urandom, matches)
