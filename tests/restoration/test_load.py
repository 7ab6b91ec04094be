"""Which model a run uses, depending on the cache, the network and the options."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import logging
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.support.onnx_files import save_restorer
from tests.support.other_networks import save_restoreformer
from tests.support.small_networks import SMALL
from tests.support.stand_in import shapes
from vidrestore.errors import UsageError, WeightsError
from vidrestore.restoration.codeformer import CodeFormer
from vidrestore.restoration.load import (
    ModelChoice,
    check_model,
    check_restorer_file,
    load_restorer,
    resolve_model,
)
from vidrestore.weights import registry
from vidrestore.weights.registry import REGISTRY

PUBLISHED = b"stand-in for the published weights" * 1000
CPU = torch.device("cpu")


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def online(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and a server that has the published weights; its folder."""
    served = tmp_path / "served"
    served.mkdir()
    (served / "codeformer.pth").write_bytes(PUBLISHED)
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "")
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, directory=served)) as server:
        entry = dataclasses.replace(
            REGISTRY["codeformer"],
            url=f"http://127.0.0.1:{server.server_address[1]}/codeformer.pth",
            size=len(PUBLISHED),
            sha256=hashlib.sha256(PUBLISHED).hexdigest(),
        )
        monkeypatch.setitem(registry._ENTRIES, "codeformer", entry)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield served
        server.shutdown()


def test_auto_downloads_once_and_logs_the_licence(online, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    assert resolve_model("auto") == ModelChoice("codeformer")
    assert (tmp_path / "cache" / "codeformer.pth").read_bytes() == PUBLISHED
    assert "non-commercial" in caplog.text
    assert "MB" in caplog.text
    (online / "codeformer.pth").unlink()  # from now on the cache serves
    assert resolve_model("auto") == resolve_model("codeformer") == ModelChoice("codeformer")
    assert resolve_model("auto", download=False) == ModelChoice("codeformer")


@pytest.mark.parametrize("fault", ["gone", "other content"])
def test_auto_falls_back_to_lite_if_the_download_fails(online, caplog, fault):
    if fault == "gone":
        (online / "codeformer.pth").unlink()
    else:
        (online / "codeformer.pth").write_bytes(bytes(len(PUBLISHED)))
    assert resolve_model("auto") == ModelChoice("lite")
    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "embedded model lite" in warning.getMessage()
    assert "vidrestore weights get codeformer" in warning.getMessage()


def test_auto_does_not_wait_long_for_a_silent_server(online, monkeypatch):
    """It gives up while the server still keeps it waiting."""
    over, answered = threading.Event(), threading.Event()

    class Silent(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if not over.wait(120):
                answered.set()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/codeformer.pth"
        entry = dataclasses.replace(REGISTRY["codeformer"], url=url)
        monkeypatch.setitem(registry._ENTRIES, "codeformer", entry)
        monkeypatch.setattr("vidrestore.restoration.load._TIMEOUT", 0.5)
        assert resolve_model("auto") == ModelChoice("lite")
        assert not answered.is_set()
        over.set()
        server.shutdown()


@pytest.mark.parametrize("switch", ["argument", "environment"])
def test_offline_uses_no_network(online, monkeypatch, switch, tmp_path):
    if switch == "environment":
        monkeypatch.setenv("VIDRESTORE_OFFLINE", "1")
    assert resolve_model("auto", offline=switch == "argument") == ModelChoice("lite")
    assert not (tmp_path / "cache").exists()
    with pytest.raises(WeightsError, match="vidrestore weights get codeformer"):
        resolve_model("codeformer", offline=switch == "argument")


def test_a_dry_run_downloads_nothing(online, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    expected = ModelChoice("codeformer", missing=True, fallback="lite")
    assert resolve_model("auto", download=False) == expected
    assert resolve_model("codeformer", download=False) == ModelChoice("codeformer", missing=True)
    assert resolve_model("auto", offline=True, download=False) == ModelChoice("lite")
    with pytest.raises(WeightsError, match="vidrestore weights get codeformer"):
        resolve_model("codeformer", offline=True, download=False)
    assert not (tmp_path / "cache").exists()
    assert not caplog.text


def test_a_requested_model_is_not_replaced(online):
    (online / "codeformer.pth").unlink()
    with pytest.raises(WeightsError):
        resolve_model("codeformer")
    assert resolve_model("lite") == ModelChoice("lite")


def test_lite_restores_faces_of_512_pixels():
    restorer = load_restorer("lite", device=CPU, precision="fp32")
    assert (restorer.spec.name, restorer.spec.input_size) == ("lite", 512)
    assert "Apache" in restorer.spec.licence


@pytest.mark.parametrize("form", ["safetensors with its sizes", "checkpoint under params_ema"])
def test_weights_from_a_file(tmp_path, form):
    if form.startswith("safetensors"):
        state, path = CodeFormer(SMALL).state_dict(), tmp_path / "own.safetensors"
        save_file(state, path, metadata={"config": json.dumps(SMALL.to_dict())})
    else:
        # Weights without a configuration have the sizes of the published network.
        state, path = {key: torch.rand(shape) for key, shape in shapes().items()}, tmp_path / "own.pth"
        torch.save({"params_ema": state}, path)
    restorer = load_restorer(path, device=CPU, precision="fp32")
    assert restorer.spec.name == path.name
    held = restorer._network.state_dict()
    for key in ("position_emb", "generator.blocks.1.conv1.weight", "fuse_convs_dict.32.scale.0.bias"):
        assert torch.equal(held[key], state[key])


def test_a_model_declares_how_worn_a_face_may_be(tmp_path):
    """In its file, else in the registry; else it is as the published model."""
    lite = load_restorer("lite", device=CPU, precision="fp32").spec.readable
    assert REGISTRY["lite"].network is not None
    assert lite == REGISTRY["lite"].network.readable
    found = []
    for declared in ({}, {"readable": "[0.3, 0.5]"}):
        path = tmp_path / f"own{len(found)}.safetensors"
        save_file(CodeFormer(SMALL).state_dict(), path, {"config": json.dumps(SMALL.to_dict()), **declared})
        found.append(load_restorer(path, device=CPU, precision="fp32").spec.readable)
    assert found[0][1] < lite[0]
    assert found[1] == (0.3, 0.5)


def test_a_model_declares_what_its_codes_hold(tmp_path):
    face = load_restorer("face", device=CPU, precision="fp32").spec.codes_hold
    assert REGISTRY["face"].network is not None
    assert face == REGISTRY["face"].network.codes_hold
    assert load_restorer("lite", device=CPU, precision="fp32").spec.codes_hold is None
    path = tmp_path / "own.safetensors"
    metadata = {"config": json.dumps(SMALL.to_dict()), "codes_hold": "[0.3, 0.5]"}
    save_file(CodeFormer(SMALL).state_dict(), path, metadata)
    assert load_restorer(path, device=CPU, precision="fp32").spec.codes_hold == (0.3, 0.5)


#: Strings and keys are no numbers; others are too large for one, or too deep to be read.
NONSENSE = [
    *("0.3", "[0.3]", "[0.5, 0.3]", "[0.3, 7]", "{", "[NaN, 1]", "[false, true]"),
    '["0.3", "0.4"]',
    '"01"',
    '{"0.3": 1, "0.4": 2}',
    pytest.param(f"[0, 1{400 * '0'}]", id="huge"),
    pytest.param(100_000 * "[", id="deep"),
]


@pytest.mark.parametrize("name", ["readable", "codes_hold"])
@pytest.mark.parametrize("declared", NONSENSE)
def test_a_file_that_declares_nonsense_is_refused(tmp_path, name, declared):
    metadata = {"config": json.dumps(SMALL.to_dict()), name: declared}
    save_file(CodeFormer(SMALL).state_dict(), tmp_path / "own.safetensors", metadata)
    with pytest.raises(WeightsError, match=f"declares {name}=.* two rising numbers") as error:
        load_restorer(tmp_path / "own.safetensors", device=CPU, precision="fp32")
    assert len(str(error.value)) < 300


@pytest.fixture
def without_packages(monkeypatch):
    """Neither spandrel nor ONNX Runtime is installed."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def test_a_file_is_recognised_by_its_content(tmp_path):
    """Whatever its name."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    for name, save in (("own.bin", save_restoreformer), ("own.pth", save_restorer)):
        restorer = load_restorer(save(tmp_path / name), device=CPU, precision="fp32")
        assert restorer.spec.name == name
        assert restorer.spec.licence == "that of its author"
        assert (restorer.spec.has_codes, restorer.spec.has_weight) == (False, False)


def test_a_file_that_the_registry_knows_by_its_hash_has_its_licence(tmp_path, monkeypatch):
    path = save_restoreformer(tmp_path / "renamed.pth")
    known = dataclasses.replace(
        REGISTRY["gpen-512"], sha256=hashlib.sha256(path.read_bytes()).hexdigest(), name="known"
    )
    monkeypatch.setitem(registry._ENTRIES, "known", known)
    assert load_restorer(path, device=CPU, precision="fp32").spec.licence == REGISTRY["gpen-512"].licence
    check_restorer_file(path)
    with pytest.raises(UsageError, match="--commercial: the licence of known is academic and non-commercial"):
        check_restorer_file(path, commercial=True)


def test_a_model_by_its_name_is_called_as_the_registry_says(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path))
    path, names = tmp_path / "VQFRv2.fp16.onnx", ("x_lq", "main_dec")
    save_restorer(path, weight="fidelity_ratio: fp32", names=names, extra=True)
    restorer = load_restorer("vqfr-2", device=CPU, precision="bf16")
    assert (restorer.spec.name, restorer.spec.has_weight) == ("vqfr-2", True)
    given = torch.rand(1, 3, 64, 64)
    assert torch.allclose(restorer(given, torch.zeros(1)), 0.75 - given / 2, atol=1e-5)


def test_what_is_not_installed_is_said_before_anything_is_downloaded(without_packages, tmp_path):
    with pytest.raises(WeightsError, match=r'1.4 needs the package spandrel; .*"vidrestore\[restorers\]"'):
        resolve_model("gfpgan-1.4", download=False)
    with pytest.raises(WeightsError, match=r'vqfr-2 needs the package onnxruntime; .*"vidrestore\[onnx\]"'):
        resolve_model("vqfr-2")
    (tmp_path / "n.onnx").write_bytes(b"\x08\x08:")
    with pytest.raises(WeightsError, match=r"n\.onnx needs the package onnxruntime"):
        check_restorer_file(tmp_path / "n.onnx")
    with pytest.raises(WeightsError, match=r"n\.onnx needs the package onnxruntime"):
        load_restorer(tmp_path / "n.onnx", device=CPU, precision="fp32")
    path = tmp_path / "other.pth"
    torch.save({"toRGB.0.weight": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=r"other\.pth needs the package spandrel"):
        load_restorer(path, device=CPU, precision="fp32")
    check_model("codeformer")


def test_a_model_that_restores_no_faces():
    with pytest.raises(UsageError, match="parsenet restores no faces; choose one of codeformer, lite"):
        check_model("parsenet")


def test_commercial_use_is_refused_where_a_licence_forbids_it(online, caplog, tmp_path):
    caplog.set_level(logging.INFO)
    for name in ("codeformer", "gpen-256", "codeformer-onnx"):
        with pytest.raises(
            UsageError, match=f"--commercial: the licence of {name} is .*: lite, face, gfpgan-1.4"
        ):
            resolve_model(name, commercial=True)
    assert resolve_model("auto", commercial=True) == ModelChoice("lite")
    assert "CodeFormer's licence does not allow commercial use" in caplog.text
    assert not (tmp_path / "cache").exists()
    assert resolve_model("gfpgan-1.4", commercial=True, download=False).missing
    own = tmp_path / "own.safetensors"
    save_file(CodeFormer(SMALL).state_dict(), own, {"config": json.dumps(SMALL.to_dict())})
    check_restorer_file(own, commercial=True)
    assert "the licence of" in caplog.text.splitlines()[-1]
    assert "is not known" in caplog.text.splitlines()[-1]
