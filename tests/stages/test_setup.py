"""Options are resolved once: what each "auto" becomes, and what is downloaded for it."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.support.clips import pattern, write
from vidrestore.analysis import analyze_video
from vidrestore.errors import DeviceError, InputError, UsageError, WeightsError
from vidrestore.media.containers import CONTAINERS
from vidrestore.options import Options
from vidrestore.pipeline import stream_frames
from vidrestore.review.look import looking
from vidrestore.stages.setup import FACE_BYTES, AnalysisSetup, RestorerSetup, Setup, read_source


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return write(
        tmp_path_factory.mktemp("setup") / "in.mp4", [pattern(i, 64, 48, "yuv420p") for i in range(5)]
    )


@pytest.fixture
def options(clip, tmp_path) -> Options:
    return Options(input=clip, output=tmp_path / "out.mkv")


@pytest.fixture
def online(monkeypatch) -> None:
    monkeypatch.delenv("VIDRESTORE_OFFLINE")


def test_every_auto_is_decided(options):
    setup = Setup.resolve(options)
    assert setup.device.type in ("cpu", "cuda", "mps")
    assert setup.restorer.precision in FACE_BYTES
    assert setup.restorer.model == "lite"
    assert setup.detector == "retinaface_mobile0.25"
    assert setup.detector_size == (427, 320)
    assert setup.batch >= 1
    assert setup.container is CONTAINERS["matroska"]
    assert setup.encoder is not None
    assert setup.encoder.codec == "libx264"
    assert setup.downloads == ()
    with pytest.raises(FrozenInstanceError):
        setup.batch = 3  # type: ignore[misc]


def test_what_is_asked_for_is_kept(options):
    asked = replace(options, device="cpu", precision="fp32", batch=3, codec="ffv1", start=Fraction(1, 10))
    setup = Setup.resolve(asked)
    assert (setup.device, setup.restorer.precision, setup.batch) == (torch.device("cpu"), "fp32", 3)
    assert setup.encoder is not None
    assert setup.encoder.codec == "ffv1"
    assert setup.span.start == Fraction(1, 10)


def test_the_repr_is_readable(options):
    setup = Setup.resolve(replace(options, device="cpu", precision="bf16", batch=2, duration=Fraction(1, 5)))
    assert repr(setup) == (
        "Setup(input=in.mp4, span=0 s to 0.2 s, device=cpu, detector=retinaface_mobile0.25 at 427x320, "
        "model=lite, precision=bf16, face_parser=none, batch=2, "
        "encoder=libx264 (yuv420p, crf 16, preset medium, a53cc 1) in matroska)"
    )
    assert str(setup).startswith("input in.mp4, span 0 s to 0.2 s, device cpu, ")


def test_it_can_be_sent_to_another_process(options):
    setup = Setup.resolve(options)
    assert repr(pickle.loads(pickle.dumps(setup))) == repr(setup)


def test_a_dry_run_names_the_downloads_and_fetches_nothing(options, online, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", pytest.fail)
    setup = Setup.resolve(replace(options, detector="retinaface_resnet50"), download=False)
    assert setup.downloads == ("retinaface_resnet50", "codeformer")
    assert (setup.restorer.model, setup.restorer.fallback) == ("codeformer", "lite")
    assert "model=codeformer (or lite)" in repr(setup)
    assert "downloads=retinaface_resnet50+codeformer" in repr(setup)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"model": "codeformer"}, WeightsError, "codeformer"),
        ({"detector": "retinaface_resnet50"}, WeightsError, "retinaface_resnet50"),
        ({"device": "cuda:77"}, DeviceError, "cuda:77"),
        ({"device": "cpu", "precision": "fp16"}, UsageError, "fp16"),
        ({"codec": "h266"}, UsageError, "h266"),
        ({"output": Path("o.docx")}, UsageError, "docx"),
    ],
)
def test_what_a_run_would_refuse_is_refused(options, changes, error, message):
    """Offline, as tests are: weights that are not in the cache cannot be had."""
    for download in (True, False):
        with pytest.raises(error, match=message):
            Setup.resolve(replace(options, **changes), download=download)


def test_without_an_output_nothing_is_encoded(options):
    setup = Setup.resolve(replace(options, output=None))
    assert (setup.container, setup.encoder) == (None, None)
    assert "encoder=none" in repr(setup)


def test_weights_of_the_user_are_the_model(options, tmp_path):
    torch.save({}, tmp_path / "mine.pth")
    setup = Setup.resolve(replace(options, weights=tmp_path / "mine.pth"))
    assert (setup.restorer.model, setup.restorer.weights) == ("mine.pth", tmp_path / "mine.pth")
    assert setup.downloads == ()


def test_with_a_tracks_file_there_is_no_detector(options, tmp_path):
    with pytest.raises(InputError, match=r"the tracks file .*t\.json does not exist; make one with"):
        Setup.resolve(replace(options, tracks=tmp_path / "t.json"))
    (tmp_path / "t.json").write_text("{}")
    setup = Setup.resolve(replace(options, tracks=tmp_path / "t.json"))
    assert setup.detector is None
    assert "detector=none (tracks file)" in repr(setup)


def test_the_source_is_read_once_if_it_is_given(options, monkeypatch):
    source = read_source(options)
    monkeypatch.setattr("vidrestore.stages.setup.Decoder", pytest.fail)
    assert Setup.resolve(options, source).detector_size == (427, 320)
    assert AnalysisSetup.resolve(options, source).detector == "retinaface_mobile0.25"


def test_the_detector_searches_more_frames_at_once_on_a_gpu(options, monkeypatch):
    monkeypatch.setattr("vidrestore.stages.setup.find_device", lambda name: torch.device("mps"))
    assert AnalysisSetup.resolve(options).detector_batch == 8
    assert AnalysisSetup.resolve(replace(options, batch=3)).detector_batch == 3


def test_a_restorer_alone():
    setup = RestorerSetup.resolve(model="lite", device="cpu", precision="fp32")
    assert setup.summary() == {"model": "lite", "precision": "fp32", "face parser": "none"}


def test_a_dry_run_refuses_files_that_are_not_weights(options, tmp_path):
    (tmp_path / "text.pth").write_text("just some words")
    (tmp_path / "text.safetensors").write_text("just some words")
    for name, words in (
        ("nope.pth", "does not exist"),
        (".", "is not a file"),
        ("text.pth", "not a file of weights"),
        ("text.safetensors", "not a safetensors file"),
    ):
        with pytest.raises(WeightsError, match=words):
            Setup.resolve(replace(options, weights=tmp_path / name), download=False)


def test_the_restorers_that_a_tracks_file_names(options, tmp_path, monkeypatch):
    """Each is checked, and downloaded if it is missing; the model of the run is not named twice."""
    monkeypatch.delenv("VIDRESTORE_OFFLINE", raising=False)
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    tracks = tmp_path / "tracks.json"
    tracks.write_text('{"persons": [{"restorer": "gfpgan-1.4"}], "tracks": [{"restorer": "lite"}]}')
    asked = replace(options, tracks=tracks, model="lite")
    setup = Setup.resolve(asked, download=False)
    assert (setup.restorer.others, setup.restorer.others_missing) == (("gfpgan-1.4",), ("gfpgan-1.4",))
    assert setup.downloads == ("gfpgan-1.4",)
    assert setup.summary()["other models"] == "gfpgan-1.4"
    tracks.write_text('{"persons": [{"restorer": "gpen-512"}]}')
    with pytest.raises(UsageError, match="--commercial: the licence of gpen-512"):
        Setup.resolve(replace(asked, commercial=True), download=False)
    tracks.write_text('{"tracks": [{"restorer": null, "spans": [{"restorer": "best"}]}]}')
    with pytest.raises(InputError, match="has the restorer 'best', which is not known; choose one of"):
        Setup.resolve(asked, download=False)


def test_for_commercial_use_masks_are_made_without_parsenet(tmp_path, monkeypatch):
    monkeypatch.setattr("vidrestore.stages.setup.locate", lambda name: tmp_path)
    assert RestorerSetup.resolve(model="lite").face_parser == "parsenet"
    assert RestorerSetup.resolve(model="lite", commercial=True).face_parser is None


@pytest.mark.parametrize(
    "use",
    [
        lambda photo, out: analyze_video(Options(input=photo, output=out)),
        lambda photo, out: next(stream_frames(Options(input=photo))),
        lambda photo, out: looking(Options(input=photo)).__enter__(),
    ],
    ids=["analyze", "frames", "preview"],
)
def test_a_photo_is_not_taken_for_a_video_of_one_frame(tmp_path, use):
    Image.new("RGB", (64, 48)).save(tmp_path / "a.jpg")
    with pytest.raises(UsageError, match=r"a\.jpg is a photo, and this is for videos"):
        use(tmp_path / "a.jpg", tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()
