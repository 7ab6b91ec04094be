"""The registry: every entry is complete, and no code can change it by accident."""

from __future__ import annotations

import pytest

from vidrestore.errors import UsageError
from vidrestore.weights.entry import RemoteWeights
from vidrestore.weights.registry import (
    REGISTRY,
    announcement,
    lookup,
    planned_download,
    refuse_non_commercial,
    restorer_names,
    upscaler_names,
    with_hash,
    would_download,
)

DOWNLOADS = [name for name, weights in REGISTRY.items() if not weights.embedded]


@pytest.mark.parametrize("name", DOWNLOADS)
def test_downloads_are_complete_entries(name: str) -> None:
    weights = REGISTRY[name]
    assert isinstance(weights, RemoteWeights)
    assert weights.url.startswith(("https://github.com/", "https://objectstorage."))
    assert weights.url.endswith("/" + weights.filename)
    assert weights.sha256 is None or len(bytes.fromhex(weights.sha256)) == 32


def test_the_registry_is_read_only() -> None:
    assert REGISTRY["lite"].embedded
    with pytest.raises(TypeError):
        REGISTRY["lite"] = REGISTRY["codeformer"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        REGISTRY["lite"].name = "other"  # type: ignore[misc]


def test_an_unknown_name() -> None:
    with pytest.raises(UsageError, match=r"unknown weights 'codefromer'; choose one of codeformer, lite"):
        lookup("codefromer")


def test_the_announcement_of_a_download() -> None:
    line = announcement("codeformer")
    assert line.startswith("Downloading codeformer (376.6 MB) from https://github.com/sczhou/")
    assert "S-Lab License 1.0 (non-commercial)" in line
    with pytest.raises(ValueError, match="lite is embedded"):
        announcement("lite")


def test_a_download_that_is_planned() -> None:
    planned = planned_download("codeformer")
    assert planned == {
        "name": "codeformer",
        "bytes": 376_637_898,
        "licence": "S-Lab License 1.0 (non-commercial)",
    }
    assert would_download(planned) == (
        "would download codeformer (376.6 MB; licence: S-Lab License 1.0 (non-commercial))"
    )
    with pytest.raises(ValueError, match="lite is embedded"):
        planned_download("lite")


def test_restorers_are_known_by_name_and_by_hash() -> None:
    names = restorer_names()
    assert {"codeformer", "lite", "gfpgan-1.4", "vqfr-2"} <= {*names}
    assert "parsenet" not in names
    known = with_hash("e2cd4703ab14f4d01fd1383a8a8b266f9a5833dacee8e6a79d3bf21a1b6be5ad")
    assert known is REGISTRY["gfpgan-1.4"]
    assert with_hash("0" * 64) is None


def test_a_size_that_is_not_known() -> None:
    assert "restoreformer (size not known)" in announcement("restoreformer")


def test_what_may_not_be_used_commercially_is_refused_with_what_may() -> None:
    refuse_non_commercial(REGISTRY["spanx2-ch48"], upscaler_names())
    with pytest.raises(UsageError, match=r"the licence of gpen-256 is .*commercially: lite, gfpgan-1.4$"):
        refuse_non_commercial(REGISTRY["gpen-256"], ("codeformer", "lite", "gfpgan-1.4"))
    assert {"realesr-general-x4v3", "realesrgan-x2plus", "spanx2-ch48"} <= {*upscaler_names()}
    assert not {*upscaler_names()} & {*restorer_names()}
