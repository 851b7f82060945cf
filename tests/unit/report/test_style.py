from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.report import page as module

# Contrast as WCAG 2.2 defines it, success criteria 1.4.3 (text) and 1.4.11 (graphics).
STYLE = Path(module.__file__).with_name("page.css").read_text(encoding="utf-8")


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_colours_are_readable(theme: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[theme]))
    for ground in ("paper", "raised", "caution"):
        assert contrast(colour["ink"], colour[ground]) >= 7
    for word in ("quiet", "link", *(f"arm-{place}" for place in range(1, 7))):
        assert contrast(colour[word], colour["paper"]) >= 4.5
    assert contrast(colour["quiet"], colour["raised"]) >= 4.5
    assert contrast(colour["caution-edge"], colour["caution"]) >= 3
