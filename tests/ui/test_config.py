"""What the server is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidrestore.ui.config import Config


@pytest.mark.parametrize(
    ("about", "local", "address"),
    [
        ({}, True, "http://127.0.0.1:7860/"),
        ({"host": "::1", "port": 80}, True, "http://[::1]:80/"),
        ({"host": "0.0.0.0", "token": "secret"}, False, "http://0.0.0.0:7860/?token=secret"),
    ],
)
def test_the_address_to_open(about, local, address):
    config = Config(folder=Path(), **about)
    assert (config.is_local, config.address) == (local, address)
