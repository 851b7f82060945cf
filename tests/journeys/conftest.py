from __future__ import annotations

import pytest

from tests.journeys.commands import Shell


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    for name in ("COLUMNS", "COHORTIUM_DATA", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Shell(capsys)
