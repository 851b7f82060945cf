"""What every bundled study and cohort says of itself, word for word.

After a change that is meant, `python -m tests.golden.test_descriptions` writes the files anew; read
what changed before it is committed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from simulator.bundled import names
from simulator.language.platform_sentences import platform_sentences
from simulator.language.prose import describe
from simulator.language.reading import COHORTS, STUDIES, read_inquiry

FOLDER: Final = Path(__file__).parent / "descriptions"
BUNDLED: Final = sorted([*names(STUDIES), *names(COHORTS)])


def written(name: str) -> dict[str, str]:
    """The files of one document and what stands in them."""
    inquiry = read_inquiry(name)
    return {
        f"{name}.txt": f"{describe(inquiry)}\n",
        f"{name}.platform.txt": f"{platform_sentences(inquiry)}\n",
    }


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_document_is_described_as_it_was_read_by_eye(name: str) -> None:
    for file, text in written(name).items():
        assert (FOLDER / file).read_text(encoding="utf-8") == text


def test_nothing_is_described_that_is_no_longer_bundled() -> None:
    expected = {file for name in BUNDLED for file in (f"{name}.txt", f"{name}.platform.txt")}
    assert {path.name for path in FOLDER.iterdir()} == expected


if __name__ == "__main__":
    for path in FOLDER.glob("*.txt"):
        path.unlink()
    for bundled in BUNDLED:
        for file, text in written(bundled).items():
            (FOLDER / file).write_text(text, encoding="utf-8")
