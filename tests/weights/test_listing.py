"""The ``weights`` command: the list, and ``get``."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidrestore.errors import WeightsError
from vidrestore.weights.listing import get, list_weights
from vidrestore.weights.store import locate


def test_the_list_names_size_licence_and_place(cache: Path) -> None:
    text = list_weights()
    assert "codeformer  (376.6 MB, not downloaded: vidrestore weights get codeformer)" in text
    assert "S-Lab License 1.0 (non-commercial)" in text
    assert "retinaface_mobile0.25  (1.8 MB, embedded)" in text
    assert str(cache) in text


def test_get_names_the_licence_before_the_download(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsError):
        get("codeformer", offline=True)
    assert "S-Lab License 1.0 (non-commercial)" in capsys.readouterr().err


def test_get_embedded_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert get("retinaface_mobile0.25") == locate("retinaface_mobile0.25")
    assert "retinaface_mobile0.25 is embedded" in capsys.readouterr().err
