"""The guide to a masked sum prints what it shows."""

from __future__ import annotations

import contextlib
import io
import os
import re
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "masked-sum.md"
BLOCKS = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.S)


def test_the_guide_prints_what_it_shows() -> None:
    guide, names = GUIDE.read_text(encoding="utf-8"), dict[str, object]()
    printed = []
    for program, _ in BLOCKS.findall(guide):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(program, names)  # noqa: S102  # the guide's own program
        printed.append(out.getvalue())
    if os.environ.get("REFRESH"):
        shown = iter(printed)
        guide = BLOCKS.sub(
            lambda block: f"```python\n{block[1]}```\n\n```text\n{next(shown)}```", guide
        )
        GUIDE.write_text(guide, encoding="utf-8")
    assert len(printed) == 2
    assert printed == [shown for _, shown in BLOCKS.findall(guide)]
