from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.asking import Site
from tests.support.engines import ENGINES, Engine


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


@pytest.fixture
def site(tmp_path: Path, engine: Engine) -> Site:
    return Site(tmp_path / "site", engine)
