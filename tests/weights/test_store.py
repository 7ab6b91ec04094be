"""Locating and reading weights: the embedded files, and all kinds of files that users may give."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from facexlib.detection.retinaface import RetinaFace
from safetensors.torch import save_file

from tests.support.faulty_server import FaultyServer
from vidrestore.errors import WeightsError
from vidrestore.weights import registry
from vidrestore.weights.entry import RemoteWeights
from vidrestore.weights.registry import REGISTRY
from vidrestore.weights.store import cache_dir, fetch, fingerprint, load_state, locate, obtain

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2, dtype=torch.float16)}
linux = pytest.mark.skipif(sys.platform != "linux", reason="cache folder of Linux")
EMBEDDED = [name for name, weights in REGISTRY.items() if weights.embedded]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"VIDRESTORE_CACHE": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"VIDRESTORE_CACHE": "~/w", "HOME": "/c"}, "/c/w"),
        pytest.param({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/vidrestore", marks=linux),
        pytest.param({"XDG_CACHE_HOME": "", "HOME": "/c"}, "/c/.cache/vidrestore", marks=linux),
        pytest.param({"HOME": "/c"}, "/c/.cache/vidrestore", marks=linux),
    ],
)
def test_cache_dir(environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("VIDRESTORE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert cache_dir() == Path(expected)


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_weights_are_found(name: str) -> None:
    path = fetch(name, offline=True)
    assert path == locate(name)
    assert path.stat().st_size <= 20 * 2**20
    state, metadata = load_state(name)
    assert sum(tensor.numel() for tensor in state.values()) > 400_000
    assert metadata["licence"]


def test_embedded_detector_fits_facexlib() -> None:
    state, metadata = load_state("retinaface_mobile0.25")
    RetinaFace(network_name="mobile0.25", device="cpu").load_state_dict(state, strict=True)
    assert metadata["copyright"] == "Copyright (c) 2025 ddfabbro"


def test_a_cached_file_of_another_size_is_ignored(cache: Path) -> None:
    path = cache / REGISTRY["parsenet"].filename
    cache.mkdir()
    path.write_bytes(b"")
    os.truncate(path, REGISTRY["parsenet"].size - 1)
    assert locate("parsenet") is None
    os.truncate(path, REGISTRY["parsenet"].size)
    assert locate("parsenet") == path


def test_fetch_downloads_once(
    server: FaultyServer, weights: RemoteWeights, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "0")
    monkeypatch.setitem(registry._ENTRIES, "test", weights)
    assert locate("test") is None
    assert fetch("test") == fetch("test") == locate("test") == cache / "weights.pth"
    assert server.ranges == [None]


def test_what_is_no_weights_does_not_stay_in_the_cache(
    server: FaultyServer, weights: RemoteWeights, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no hash tells: what a server sends in place of a file."""
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "0")
    monkeypatch.setitem(registry._ENTRIES, "test", replace(weights, size=None, sha256=None))
    with pytest.raises(WeightsError, match=r"is not a file of weights, and was deleted; .* in .*cache$"):
        fetch("test")
    assert locate("test") is None


@pytest.mark.parametrize("switch", ["argument", "environment"])
def test_offline_sends_no_request(
    switch: str, server: FaultyServer, weights: RemoteWeights, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "1" if switch == "environment" else "")
    monkeypatch.setitem(registry._ENTRIES, "test", weights)
    with pytest.raises(WeightsError, match=r"disabled .*vidrestore weights get test"):
        fetch("test", offline=switch == "argument")
    assert server.ranges == []


def test_weights_that_are_not_downloaded() -> None:
    with pytest.raises(WeightsError, match=r"not downloaded; run `vidrestore weights get codeformer`"):
        load_state("codeformer")


def torch_bytes(content: object, **options: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


class Malicious:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("executed",)


PREFIXED = {f"module.{key}": value for key, value in STATE.items()}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(torch_bytes({"params_ema": STATE}), id="params_ema"),
        pytest.param(torch_bytes({"params": {}, "params_ema": STATE}), id="averaged weights first"),
        pytest.param(torch_bytes({"params": STATE}), id="params"),
        pytest.param(torch_bytes({"state_dict": STATE, "epoch": 3}), id="state_dict and other keys"),
        pytest.param(torch_bytes(STATE), id="bare"),
        pytest.param(torch_bytes(STATE, _use_new_zipfile_serialization=False), id="before PyTorch 1.6"),
        pytest.param(torch_bytes(PREFIXED), id="data-parallel training"),
    ],
)
def test_load_torch(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    state, metadata = load_state(path)
    assert metadata == {}
    assert state.keys() == STATE.keys()
    for key, tensor in STATE.items():
        torch.testing.assert_close(state[key], tensor, rtol=0, atol=0)


def test_load_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(STATE, path, metadata={"about": "a test"})
    state, metadata = load_state(str(path))
    assert metadata == {"about": "a test"}
    for key, tensor in STATE.items():
        torch.testing.assert_close(state[key], tensor, rtol=0, atol=0)
    assert fingerprint(path) == fingerprint(str(path)) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_fingerprint_by_name() -> None:
    lite = locate("lite")
    assert lite is not None
    assert fingerprint("lite") == fingerprint(lite)
    assert fingerprint("parsenet").startswith("3d558d8d")  # verified by the download, so not read again


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.pth", b"Not weights at all.\n", "not a file of weights"),
        ("empty.pth", b"", "damaged or not a file of weights"),
        ("half.pth", torch_bytes(STATE)[:900], "cannot read weights"),
        ("half old.pth", torch_bytes(STATE, _use_new_zipfile_serialization=False)[:-30], "damaged"),
        ("pickle.pkl", pickle.dumps(Malicious(), protocol=2), "not executed"),
        ("code.pth", torch_bytes({"params_ema": STATE, "x": Malicious()}), "not executed"),
        ("list.pth", torch_bytes([1, 2]), "contains no state dict"),
        ("numbers.pth", torch_bytes({"a": 1}), "contains no state dict"),
        ("nothing.pth", torch_bytes({}), "contains no weights"),
        ("text.safetensors", b"Not weights at all.\n", "not a safetensors file"),
        ("torch.safetensors", torch_bytes(STATE), "not a safetensors file"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_a_file_without_weights(
    name: str, content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        load_state(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not Path("executed").exists()


@pytest.mark.parametrize(("path", "problem"), [("nowhere.pth", "does not exist"), (".", "is not a file")])
def test_a_missing_file(path: str, problem: str) -> None:
    with pytest.raises(WeightsError, match=problem):
        load_state(path)


def test_weights_that_were_asked_for(tmp_path, monkeypatch, caplog):
    """Embedded ones are there; others are announced and downloaded, unless it is a dry run."""
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path))
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "")
    assert obtain("lite")
    assert not obtain("spanx2-ch48", download=False)
    with pytest.raises(WeightsError, match="downloads are disabled"):
        obtain("spanx2-ch48", offline=True, download=False)
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "1")
    with pytest.raises(WeightsError, match="downloads are disabled"):
        obtain("spanx2-ch48", download=False)
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "")

    def download(weights, path, **about):
        path.write_bytes(bytes(weights.size))

    monkeypatch.setattr("vidrestore.weights.store.download", download)
    with caplog.at_level("INFO"):
        assert obtain("spanx2-ch48")
    assert "Downloading spanx2-ch48 (8.9 MB) from https://" in caplog.text
