import re

import pytest

from simulator.privacy.masking.aloud import Stage, play
from simulator.privacy.masking.errors import MaskingError, TooFew
from simulator.privacy.masking.ring import Ring
from simulator.privacy.sources import keyed_source
from tests.unit.privacy.masking.rounds import numbers

VECTORS = {name: numbers(at, -at, 0, 1, 2) for at, name in enumerate(("n", "e", "s", "w"), 1)}


def test_what_is_read_aloud_is_what_happens() -> None:
    said: list[str] = []
    total = play(
        VECTORS,
        source=keyed_source(b"test"),
        degree=3,
        ring=Ring(32),
        drop={"e": Stage.VECTOR},
        say=said.append,
    )
    assert total.tolist() == [8, -8, 0, 3, 6]
    assert said[0] == "4 sites, each masks with 3; of each neighbourhood 3 must stay."
    assert said[-1] == "Without the masks, n + s + w = [8, -8, 0, 3, ...]."
    assert said.count("e is lost.") == 1
    assert "The aggregator passes 12 seals on; it cannot open them." in said
    seen = [one for one in said if "the aggregator sees" in one]
    assert [one.split(" ")[0] for one in seen] == ["n", "s", "w"]
    assert "n holds [1, -1, 0, 1, ...];" in seen[0]
    assert re.search(r"sees \[\d{6,}, ", seen[0])
    revealed = "n gives its shares of the self seeds of n, s, w, and of the masking keys of e."
    assert revealed in said


def test_nobody_need_listen() -> None:
    total = play(VECTORS, source=keyed_source(b"test"), degree=9, ring=Ring(64), threshold=4)
    assert total.tolist() == [10, -10, 0, 4, 8]


@pytest.mark.parametrize("stage", [Stage.KEYS, Stage.SHARES, Stage.VECTOR])
def test_where_too_many_are_lost_nothing_is_revealed(stage: Stage) -> None:
    said: list[str] = []
    with pytest.raises(TooFew):
        play(
            VECTORS,
            source=keyed_source(b"test"),
            degree=3,
            ring=Ring(32),
            drop={"e": stage, "w": stage},
            say=said.append,
        )
    assert not [one for one in said if "gives its shares" in one or "Without the masks" in one]


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(MaskingError, match="the vector of 's' has 8 bytes, expected 20"):
        play(
            VECTORS | {"s": numbers(1, 2)},
            source=keyed_source(b"test"),
            degree=3,
            ring=Ring(32),
        )
