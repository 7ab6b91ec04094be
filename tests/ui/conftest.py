"""A queue and a visitor."""

from __future__ import annotations

import pytest

from vidrestore.ui.database import Database
from vidrestore.ui.visitors import Visitors


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "page.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def visitor(tmp_path, database):
    return Visitors(database, tmp_path / "visitors").add()[0]
