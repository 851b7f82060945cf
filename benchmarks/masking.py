"""Measures what a masked sum costs, and prints target, measured value and verdict.

All parties run one after another in one thread; seconds are those of the processor, so that other
work on the machine counts less.

python benchmarks/masking.py            a minute
python benchmarks/masking.py --times 9  more runs
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.masking import additive
from simulator.privacy.masking.collector import Collector
from simulator.privacy.masking.graph import least_threshold, neighbours
from simulator.privacy.masking.participant import Participant
from simulator.privacy.masking.ring import Ring
from simulator.privacy.masking.sizes import bytes_down, bytes_up
from simulator.privacy.sources import system_source

COUNTS = Ring(32)
CELLS = 5_000
SESSION = b"benchmark"
Vectors = dict[str, NDArray[np.int64]]


def vectors(sites: int, cells: int) -> Vectors:
    """Counts below 1,000, other ones at each site."""
    rng = np.random.default_rng(1)
    return {f"site-{number:04}": rng.integers(0, 1000, cells) for number in range(sites)}


def masked_sum(given: Vectors, degree: int, ring: Ring, lost: int) -> tuple[float, float]:
    """Seconds of all sites together and of the aggregator, for one round; checks the sum."""
    started = time.process_time()
    spent = 0.0  # At the aggregator.
    sites = {name: Participant(name, SESSION, system_source) for name in given}
    keys = [site.keys() for site in sites.values()]
    mark = time.process_time()
    graph = neighbours(tuple(given), degree, SESSION)
    threshold = least_threshold(len(next(iter(graph.values()))))
    cells = len(next(iter(given.values())))
    hub = Collector(SESSION, ring, cells, keys, graph, threshold)
    spent += time.process_time() - mark
    sealed = [one for name, site in sites.items() for one in site.share(hub.peers(name), threshold)]
    mark = time.process_time()
    routed = hub.route(sealed)
    spent += time.process_time() - mark
    staying = list(given)[lost:]
    for name in staying:
        data = sites[name].mask(routed[name], given[name], ring, len(given))
        mark = time.process_time()
        hub.masked(name, data)
        spent += time.process_time() - mark
    for name, wanted in hub.what_to_reveal().items():
        hub.revealed(sites[name].reveal(wanted.alive, wanted.dropped))
    mark = time.process_time()
    total = hub.open()
    ended = time.process_time()
    spent += ended - mark
    if not np.array_equal(total, np.sum([given[name] for name in staying], axis=0)):
        raise AssertionError("the opened sum is not the plain sum")
    return ended - started - spent, spent


def shared_sum(given: Vectors, ring: Ring) -> float:
    """Seconds for the same sum by additive shares and two aggregators."""
    started = time.process_time()
    pairs = [additive.split(one, ring, len(given), system_source) for one in given.values()]
    first, second = (additive.add([pair[side] for pair in pairs], ring) for side in (0, 1))
    total = additive.join(first, second, ring)
    taken = time.process_time() - started
    if not np.array_equal(total, np.sum(list(given.values()), axis=0)):
        raise AssertionError("the opened sum is not the plain sum")
    return taken


def line(what: str, target: float, measured: float, unit: str, note: str = "") -> None:
    """One line of the table; every target is an upper bound."""
    verdict = "met" if measured <= target else "MISSED"
    print(
        f"| {what} | <= {target:g} {unit} | {measured:.3g} {unit}{note} | {verdict} |", flush=True
    )


def measure(
    sites: int, degree: int, target: float, times: int, *, ring: Ring = COUNTS, lost: int = 0
) -> None:
    """One line: the median of several rounds, all sites and the aggregator one after another."""
    given = vectors(sites, CELLS)
    runs = [masked_sum(given, degree, ring, lost) for _ in range(times)]
    whole = statistics.median(site + hub for site, hub in runs)
    at_hub = statistics.median(hub for _, hub in runs)
    graph = "all with all" if degree >= sites - 1 else f"{degree} neighbours"
    missing = f", {lost} lost" if lost else ""
    line(
        f"{sites} sites x {CELLS:,} cells of {ring.bits} bits, {graph}{missing}",
        target,
        whole,
        "s",
        f" ({at_hub:.2g} s at the aggregator)",
    )


def main() -> None:
    """Measures the rounds of the shipped network, a thinner graph, and a thousand sites."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    print("| what | target | measured | verdict |\n| --- | --- | --- | --- |")
    measure(68, 67, 0.6, times)
    measure(68, 67, 0.6, times, lost=7)
    measure(68, 67, 0.6, times, ring=Ring(64))
    measure(68, 20, 0.2, times)
    measure(68, 20, 0.2, times, lost=1)
    measure(1000, 60, 10.0, max(3, times // 2))
    given = vectors(68, CELLS)
    pair = statistics.median(shared_sum(given, Ring(64)) for _ in range(times))
    line(f"68 sites x {CELLS:,} cells of 64 bits, two aggregators", 0.05, pair, "s")
    print("\n| neighbours | bits | kB up a site | kB down a site |\n| --- | --- | --- | --- |")
    for peers, ring in ((67, COUNTS), (20, COUNTS), (67, Ring(64)), (60, COUNTS)):
        up, down = bytes_up(peers, CELLS, ring) / 1000, bytes_down(peers) / 1000
        print(f"| {peers} | {ring.bits} | {up:.1f} | {down:.1f} |")


if __name__ == "__main__":
    main()
