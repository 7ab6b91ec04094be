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
    assert "gpen-1024  (size not known, not downloaded: vidrestore weights get gpen-1024)" in text
    assert "master/LICENSE; commercial use not allowed" in text
    assert "LICENSE-2.0; commercial use allowed" in text
    assert str(cache) in text


def test_the_list_has_the_size_of_a_file_that_is_there(cache: Path) -> None:
    cache.mkdir()
    (cache / "RestoreFormer.pth").write_bytes(bytes(3_000_000))
    assert f"restoreformer  (3.0 MB, downloaded: {cache / 'RestoreFormer.pth'})" in list_weights()


def test_get_names_the_licence_before_the_download(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsError):
        get("codeformer", offline=True)
    assert "S-Lab License 1.0 (non-commercial)" in capsys.readouterr().err


def test_get_embedded_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert get("retinaface_mobile0.25") == locate("retinaface_mobile0.25")
    assert "retinaface_mobile0.25 is embedded" in capsys.readouterr().err
