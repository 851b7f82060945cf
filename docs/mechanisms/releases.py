"""Writes the two tables of releases.md anew from the data in the code.

python docs/mechanisms/releases.py
"""

from __future__ import annotations

import re
from pathlib import Path

from simulator.privacy.tables import analyses_table, treatments_table

PAGE = Path(__file__).with_name("releases.md")


def main() -> None:
    """Puts each table in the place of the one that begins with the same word."""
    text = PAGE.read_text(encoding="utf-8")
    for table in (treatments_table(), analyses_table()):
        first = re.escape(table.split(" `", maxsplit=1)[0])
        text = re.sub(rf"^{first} .*\n(?:\|.*\n)*", lambda _, new=table: new, text, flags=re.M)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
