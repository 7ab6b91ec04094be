"""Finding and reading weights: the shipped files, and files of every sort that people may give."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from facexlib.detection.retinaface import RetinaFace
from safetensors.torch import save_file

from vidrestore.errors import UsageError, WeightsError
from vidrestore.weights import REGISTRY, cache_dir, fetch, fingerprint, load_state, locate
from vidrestore.weights.listing import get, list_weights

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2, dtype=torch.float16)}
EMBEDDED = [name for name, weights in REGISTRY.items() if weights.embedded]
DOWNLOADS = [name for name in REGISTRY if name not in EMBEDDED]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("VIDRESTORE_CACHE", str(folder))
    return folder


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"VIDRESTORE_CACHE": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/vidrestore"),
        ({"XDG_CACHE_HOME": "", "HOME": "/c"}, "/c/.cache/vidrestore"),
        ({"VIDRESTORE_CACHE": "~/w", "HOME": "/c"}, "/c/w"),
    ],
)
def test_cache_dir(environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("VIDRESTORE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert cache_dir() == Path(expected)


@pytest.mark.parametrize("name", DOWNLOADS)
def test_registry_of_downloads(name: str) -> None:
    weights = REGISTRY[name]
    assert weights.url.startswith("https://github.com/")
    assert weights.url.endswith("/" + weights.filename)
    assert len(bytes.fromhex(weights.sha256)) == 32


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_is_here(name: str) -> None:
    path = fetch(name, offline=True)
    assert path == locate(name)
    assert path.stat().st_size <= 20_000_000
    state, metadata = load_state(name)
    assert sum(tensor.numel() for tensor in state.values()) > 400_000
    assert metadata["licence"]


def test_embedded_detector_fits_facexlib() -> None:
    state, metadata = load_state("retinaface_mobile0.25")
    RetinaFace(network_name="mobile0.25", device="cpu").load_state_dict(state, strict=True)
    assert metadata["copyright"] == "Copyright (c) 2025 ddfabbro"


def test_cached_file_of_another_size_is_not_it(cache: Path) -> None:
    path = cache / REGISTRY["parsenet"].filename
    cache.mkdir()
    path.write_bytes(b"")
    os.truncate(path, REGISTRY["parsenet"].size - 1)
    assert locate("parsenet") is None
    os.truncate(path, REGISTRY["parsenet"].size)
    assert locate("parsenet") == path


def test_unknown_name() -> None:
    with pytest.raises(UsageError, match=r"no weights called 'codefromer'; there are codeformer, lite"):
        fetch("codefromer")


def test_name_that_is_not_here() -> None:
    with pytest.raises(WeightsError, match=r"not here; run `vidrestore weights get codeformer`"):
        load_state("codeformer")


def torch_bytes(content: object, **options: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


class Malice:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("malice",)


PREFIXED = {f"module.{key}": value for key, value in STATE.items()}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(torch_bytes({"params_ema": STATE}), id="params_ema"),
        pytest.param(torch_bytes({"params": {}, "params_ema": STATE}), id="averaged before last"),
        pytest.param(torch_bytes({"params": STATE}), id="params"),
        pytest.param(torch_bytes({"state_dict": STATE, "epoch": 3}), id="state_dict with more beside it"),
        pytest.param(torch_bytes(STATE), id="bare"),
        pytest.param(torch_bytes(STATE, _use_new_zipfile_serialization=False), id="before PyTorch 1.6"),
        pytest.param(torch_bytes(PREFIXED), id="of data-parallel training"),
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
    assert fingerprint(path) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.pth", b"Not weights at all.\n", "no PyTorch file"),
        ("empty.pth", b"", "damaged or no PyTorch file"),
        ("half.pth", torch_bytes(STATE)[:900], "cannot read weights"),
        ("half old.pth", torch_bytes(STATE, _use_new_zipfile_serialization=False)[:-30], "damaged"),
        ("pickle.pkl", pickle.dumps(Malice(), protocol=2), "none was run"),
        ("code.pth", torch_bytes({"params_ema": STATE, "x": Malice()}), "none was run"),
        ("list.pth", torch_bytes([1, 2]), "no state dict"),
        ("numbers.pth", torch_bytes({"a": 1}), "no state dict"),
        ("nothing.pth", torch_bytes({}), "holds no weights"),
        ("text.safetensors", b"Not weights at all.\n", "not a safetensors file"),
        ("torch.safetensors", torch_bytes(STATE), "not a safetensors file"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_not_weights(
    name: str, content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        load_state(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not Path("malice").exists()


@pytest.mark.parametrize(("path", "problem"), [("nowhere.pth", "does not exist"), (".", "is not a file")])
def test_no_file(path: str, problem: str) -> None:
    with pytest.raises(WeightsError, match=problem):
        load_state(path)


def test_list_says_what_is_where(cache: Path) -> None:
    text = list_weights()
    assert "codeformer  (376.6 MB, not here: vidrestore weights get codeformer)" in text
    assert "S-Lab License 1.0 (non-commercial)" in text
    assert "retinaface_mobile0.25  (1.8 MB, embedded)" in text
    assert str(cache) in text


def test_get_names_the_licence_before_it_downloads(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsError):
        get("codeformer", offline=True)
    assert "S-Lab License 1.0 (non-commercial)" in capsys.readouterr().err


def test_get_embedded(capsys: pytest.CaptureFixture[str]) -> None:
    assert get("retinaface_mobile0.25") == locate("retinaface_mobile0.25")
    assert "retinaface_mobile0.25 is embedded" in capsys.readouterr().err
