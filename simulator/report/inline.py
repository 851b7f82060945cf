"""Makes a drawn figure part of a page: its colours follow the page, its names clash with none."""

from __future__ import annotations

import html
import re
from typing import Final

from simulator.report.figures import ARMS, INK, PAPER, QUIET
from simulator.report.markup import Markup

_VARIABLES: Final = {
    INK: "var(--ink)",
    QUIET: "var(--quiet)",
    PAPER: "var(--paper)",
    **{colour: f"var(--arm-{place})" for place, colour in enumerate(ARMS, start=1)},
}
# A style of a drawing would hold for the whole page; the page's own style sheet says the same.
_ABOUT: Final = re.compile(r"<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL)
_STYLE: Final = re.compile(r'style="[^"]*"')
_NAME: Final = re.compile(r'(\bid="|href="#|url\(#)')
_COLOUR: Final = re.compile("|".join(_VARIABLES))


def inline(svg: str, name: str, said: str) -> Markup:
    """A figure's SVG for the inside of a page.

    Args:
        svg: As `survival_svg` draws it.
        name: Of the figure within the page; the style sheet knows it as a class.
        said: What the figure shows, for those who do not see it.
    """
    body = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    box = re.search(r'viewBox="([^"]+)"', svg)
    body = _ABOUT.sub("", body)
    body = _NAME.sub(rf"\g<1>{name}-", body)
    body = _STYLE.sub(lambda style: _COLOUR.sub(lambda hit: _VARIABLES[hit[0]], style[0]), body)
    return Markup(
        f'<svg class="{name}" viewBox="{box[1] if box else ""}" role="img" '
        f'aria-label="{html.escape(said)}">{body.replace("xlink:href", "href")}</svg>'
    )
