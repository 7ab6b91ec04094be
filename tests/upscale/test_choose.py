"""What --background and its companions mean, and what is refused before any work."""

from __future__ import annotations

import logging

import pytest

from tests.support import upscalers
from tests.support.onnx_files import save_restorer
from vidrestore.errors import UsageError, WeightsError
from vidrestore.upscale.choose import resolve_upscaler
from vidrestore.weights import registry
from vidrestore.weights.registry import REGISTRY


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache with files of the right sizes in the place of those that are published."""
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path))
    for name in ("realesr-general-x4v3", "realesr-general-wdn-x4v3", "spanx2-ch48"):
        weights = REGISTRY[name]
        (tmp_path / weights.filename).write_bytes(bytes(weights.size or 1))
    return tmp_path


def test_lanczos_is_the_default_and_needs_nothing():
    assert resolve_upscaler("lanczos", factor=1) is None
    setup = resolve_upscaler("lanczos", factor=2)
    assert setup is not None
    assert (setup.name, setup.factor, setup.sources, setup.licence) == ("lanczos", 2, (), None)
    assert str(setup) == "lanczos, 2 times"


def test_a_known_network(cache):
    setup = resolve_upscaler("spanx2-ch48", factor=3, faces=True)
    assert (setup.sources, setup.missing) == (("spanx2-ch48",), ())
    assert setup.licence == "Apache License 2.0"
    assert str(setup) == "spanx2-ch48, 3 times, faces too"


@pytest.mark.parametrize(("denoise", "partner"), [(None, None), (1.0, None), (0.3, True), (0.0, True)])
def test_a_partner_is_needed_only_to_denoise_less(cache, denoise, partner):
    setup = resolve_upscaler("realesr-general-x4v3", factor=4, denoise=denoise)
    assert setup.partner == ("realesr-general-wdn-x4v3" if partner else None)
    assert setup.denoise == (1.0 if denoise is None else denoise)
    assert len(setup.sources) == 1 + bool(partner)


def test_a_dry_run_names_what_it_would_download(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path))
    monkeypatch.delenv("VIDRESTORE_OFFLINE", raising=False)
    monkeypatch.setattr("urllib.request.urlopen", pytest.fail)
    setup = resolve_upscaler("realesr-general-x4v3", factor=4, denoise=0.5, download=False)
    assert setup.missing == ("realesr-general-x4v3", "realesr-general-wdn-x4v3")
    with pytest.raises(WeightsError, match="downloads are disabled"):
        resolve_upscaler("realesr-general-x4v3", factor=4, offline=True, download=False)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"background": "nope"},
            "--background nope is neither an upscaler nor a file; choose one of lanczos, ",
        ),
        ({"background": "gfpgan-1.4"}, "--background gfpgan-1.4 works on faces; give it with --model"),
        ({"background": "spanx2-ch48", "factor": 1}, "--background spanx2-ch48 enlarges; give --upscale 2"),
        ({"background": "lanczos", "faces": True}, "--face-upsample needs a network that enlarges; give"),
        ({"background": "lanczos", "factor": 1, "faces": True}, "--face-upsample needs a network"),
        ({"background": "lanczos", "denoise": 0.5}, "--denoise needs a network that enlarges"),
        (
            {"background": "spanx2-ch48", "denoise": 0.5},
            "--denoise is for --background realesr-general-x4v3; leave it out",
        ),
    ],
)
def test_what_does_not_fit_is_refused(cache, given, message):
    with pytest.raises(UsageError, match=message):
        resolve_upscaler(**{"factor": 2, **given})


def test_a_file(cache, tmp_path, caplog):
    path = upscalers.save(upscalers.compact(), tmp_path / "own.pth")
    setup = resolve_upscaler(str(path), factor=2, commercial=True)
    assert (setup.name, setup.weights, setup.sources, setup.licence) == ("own.pth", path, (path,), None)
    assert "the licence of" in caplog.text
    with pytest.raises(UsageError, match="--denoise is for --background realesr-general-x4v3"):
        resolve_upscaler(str(path), factor=2, denoise=0.5)
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(WeightsError, match="it is damaged or not a file of weights"):
        resolve_upscaler(str(tmp_path / "text.pth"), factor=2)
    pytest.importorskip("onnx")
    graph = save_restorer(tmp_path / "face.onnx", side=64)
    with pytest.raises(UsageError, match=r"is an ONNX file; give weights as .pth or .safetensors"):
        resolve_upscaler(str(graph), factor=2)


def test_a_licence_that_forbids_commercial_use(cache, monkeypatch):
    from dataclasses import replace

    forbidden = replace(REGISTRY["spanx2-ch48"], commercial=False, licence="for study")
    monkeypatch.setitem(registry._ENTRIES, "spanx2-ch48", forbidden)
    with pytest.raises(
        UsageError, match=r"--commercial: the licence of spanx2-ch48 is for study; .* realesr-"
    ):
        resolve_upscaler("spanx2-ch48", factor=2, commercial=True)
    assert resolve_upscaler("realesr-general-x4v3", factor=2, commercial=True)


def test_without_spandrel(cache, tmp_path, monkeypatch):
    path = upscalers.save(upscalers.compact(), tmp_path / "own.pth")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for background in ("spanx2-ch48", str(path)):
        with pytest.raises(
            WeightsError, match=r'needs the package spandrel; install it with: pip install "vid'
        ):
            resolve_upscaler(background, factor=2)


def test_nothing_is_said_of_licences_unless_asked(cache, tmp_path, caplog):
    path = upscalers.save(upscalers.compact(), tmp_path / "own.pth")
    with caplog.at_level(logging.INFO):
        resolve_upscaler(str(path), factor=2)
    assert not caplog.text
