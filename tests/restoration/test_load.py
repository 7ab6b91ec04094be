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

from tests.support.small_networks import SMALL
from tests.support.stand_in import shapes
from vidrestore.errors import WeightsError
from vidrestore.restoration.codeformer import CodeFormer
from vidrestore.restoration.load import ModelChoice, load_restorer, resolve_model
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
    assert lite == REGISTRY["lite"].readable
    found = []
    for declared in ({}, {"readable": "[0.3, 0.5]"}):
        path = tmp_path / f"own{len(found)}.safetensors"
        save_file(CodeFormer(SMALL).state_dict(), path, {"config": json.dumps(SMALL.to_dict()), **declared})
        found.append(load_restorer(path, device=CPU, precision="fp32").spec.readable)
    assert found[0][1] < lite[0]
    assert found[1] == (0.3, 0.5)


@pytest.mark.parametrize("declared", ["0.3", "[0.3]", "[0.5, 0.3]", "[0.3, 7]", "{", "[NaN, 1]"])
def test_a_file_that_declares_nonsense_is_refused(tmp_path, declared):
    metadata = {"config": json.dumps(SMALL.to_dict()), "readable": declared}
    save_file(CodeFormer(SMALL).state_dict(), tmp_path / "own.safetensors", metadata)
    with pytest.raises(WeightsError, match="readable"):
        load_restorer(tmp_path / "own.safetensors", device=CPU, precision="fp32")
