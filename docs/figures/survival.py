"""Draws the picture of the README from a result's JSON.

Usage: cohortium run bclm --format json | python docs/figures/survival.py docs/figures/survival.svg
"""

from __future__ import annotations

import json
import sys
from typing import Any

COLOURS = ("#1b6ca8", "#7fb3d5", "#c0392b", "#e6a39a")
SHOWN_MONTHS = 60
RISK_EVERY = 12


def draw(result: dict[str, Any], path: str) -> None:
    """Kaplan-Meier curves with numbers still watched below, as the field expects."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "cohortium", "font.size": 10, "svg.fonttype": "none"})
    import matplotlib.pyplot as plt

    figure, (curves, risks) = plt.subplots(
        2, 1, figsize=(8, 5.2), height_ratios=(4, 1), sharex=True, layout="constrained"
    )
    months = range(0, SHOWN_MONTHS + 1, RISK_EVERY)
    for row, (arm, colour) in enumerate(zip(result["arms"], COLOURS, strict=True)):
        points = [point for point in arm["curve"] if point["months"] <= SHOWN_MONTHS]
        at = [0, *(point["months"] for point in points)]
        alive = [1.0, *(point["estimate"] for point in points)]
        curves.step(at, alive, where="post", color=colour, lw=2, label=arm["arm"])
        watched = {point["months"]: point["at_risk"] for point in points} | {0: arm["patients"]}
        for month in months:
            risks.text(month, -row, str(watched.get(month, 0)), ha="center", va="center")
    curves.axhline(0.5, color="#999999", lw=0.8, ls=":")
    curves.set(ylim=(0, 1.02), xlim=(-1.5, SHOWN_MONTHS + 1.5), ylabel="alive")
    curves.yaxis.set_major_formatter(mpl.ticker.PercentFormatter(1.0))
    curves.legend(frameon=False, loc="lower left")
    network = result["network"]
    curves.set_title(
        f"{result['cohort']['patients']} patients at {network['answered']} of "
        f"{network['organisations']} synthetic organisations, from sums only",
        loc="left",
        fontsize=11,
    )
    risks.set(
        ylim=(-len(result["arms"]) + 0.4, 0.8), xlabel="months since embolization", xticks=months
    )
    risks.set_yticks(
        [-row for row in range(len(result["arms"]))], [arm["arm"] for arm in result["arms"]]
    )
    risks.tick_params(axis="y", length=0)
    risks.set_title("still watched", loc="left", fontsize=9)
    for axes in (curves, risks):
        axes.spines[["top", "right"]].set_visible(False)
    risks.spines["left"].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    draw(json.load(sys.stdin)["result"], sys.argv[1])
