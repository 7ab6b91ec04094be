"""The upscaler of a run, loaded: from a file, blended with its partner, held steady in videos."""

from __future__ import annotations

import logging

import pytest
import torch

from tests.support import upscalers
from vidrestore.errors import WeightsError
from vidrestore.upscale.choose import UpscalerSetup
from vidrestore.upscale.lanczos import Lanczos
from vidrestore.upscale.learned import Learned
from vidrestore.upscale.load import load_upscaler

CPU = torch.device("cpu")


def setup_of(path, **decided):
    return UpscalerSetup(name=path.name, weights=path, **{"factor": 2, **decided})


def test_lanczos():
    assert load_upscaler(UpscalerSetup(factor=3, name="lanczos"), CPU) == Lanczos(3)


def test_a_network_of_a_video_shows_as_much_as_is_steady(tmp_path, caplog):
    path = upscalers.save(upscalers.sharpening(), tmp_path / "own.pth")
    with caplog.at_level(logging.INFO):
        video, photo = (load_upscaler(setup_of(path, steady=steady), CPU) for steady in (True, False))
    assert isinstance(video, Learned)
    assert isinstance(photo, Learned)
    assert photo.share == 1
    assert 0 < video.share < 0.5
    assert video.share == load_upscaler(setup_of(path), CPU).share
    assert f"{100 * video.share:.0f} % of its detail is shown, so that noise does not flicker" in caplog.text
    assert "100 % of its detail is shown\n" in caplog.text


def test_how_much_follows_from_the_size_that_is_asked_for(tmp_path):
    """Reduced again, a network's noise is averaged."""
    path = upscalers.save(upscalers.sharpening(4), tmp_path / "own.pth")
    shares = [load_upscaler(setup_of(path, factor=factor), CPU).share for factor in (4, 2)]
    assert all(0 < share < 1 for share in shares)


def test_partners_are_blended(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path))
    strong, weak = (upscalers.compact(4, seed=seed) for seed in (0, 1))
    states = iter(({"a": 1}, {"b": 2}))
    loaded = []
    monkeypatch.setattr(
        "vidrestore.upscale.load.load_state", lambda source: (next(states), loaded.append(source))
    )
    given = []

    def build(states, share, source):
        given.append((states, share, source))
        return upscalers.build_enlarger([strong.state_dict(), weak.state_dict()], share, source)

    monkeypatch.setattr("vidrestore.upscale.load.build_enlarger", build)
    setup = UpscalerSetup(
        factor=4,
        name="realesr-general-x4v3",
        partner="realesr-general-wdn-x4v3",
        denoise=0.25,
        steady=False,
    )
    load_upscaler(setup, CPU)
    assert loaded == ["realesr-general-x4v3", "realesr-general-wdn-x4v3"]
    assert given == [([{"a": 1}, {"b": 2}], 0.25, "realesr-general-x4v3")]


def test_a_file_of_another_network_is_refused(tmp_path):
    path = upscalers.save(upscalers.compact(1), tmp_path / "own.pth")
    with pytest.raises(WeightsError, match=r"own.pth is RealESRGAN Compact, which does not enlarge pictures"):
        load_upscaler(setup_of(path), CPU)
