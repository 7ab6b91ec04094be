"""Photographs name the persons of a video, or are refused in one sentence."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import cv2
import matplotlib.cbook
import numpy as np
import pytest
import skimage.data
from PIL import Image

from vidrestore.analysis import analyze_video
from vidrestore.errors import InputError, UsageError
from vidrestore.faces.identity.embedding import IdentityEmbedding
from vidrestore.faces.identity.looks import LooksEmbedding
from vidrestore.options import Options
from vidrestore.stages.reference_photos import ReferencePhotos
from vidrestore.stages.setup import AnalysisSetup

SAMPLES = Path(__file__).parents[2] / "samples"
needs_embedding = pytest.mark.skipif(
    find_spec("dlib") is None or find_spec("face_recognition_models") is None, reason="no face embedding"
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Eileen, who is also in the corner as a small face of Grace; Grace, smaller; and a picture of nobody."""
    folder = tmp_path_factory.mktemp("photos")
    eileen = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    grace = cv2.imread(str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    grace = cv2.resize(grace, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    small = cv2.resize(grace[20:280], None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    eileen[: small.shape[0], -small.shape[1] :] = small
    pictures = {"eileen.jpg": eileen, "grace.png": grace, "nobody.png": np.full((200, 300, 3), 90, np.uint8)}
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / name), picture)
    (folder / "text.jpg").write_text("no picture")
    return {name.partition(".")[0]: folder / name for name in (*pictures, "text.jpg")}


def names(tracks: Path) -> dict[int, str | None]:
    return {person["id"]: person["name"] for person in json.loads(tracks.read_text())["persons"]}


@needs_embedding
def test_persons_get_their_names(photos, tmp_path, caplog):
    out = tmp_path / "tracks.json"
    options = Options(input=SAMPLES / "scenes.mkv", output=out, start="2.2", duration="0.4")
    both = [(photos["grace"], "Grace"), (photos["eileen"], "Eileen")]
    analyze_video(options, references=both)
    tracks = json.loads(out.read_text())["tracks"]
    found = names(out)
    assert sorted(found.values()) == ["Eileen", "Grace"]
    # Grace is alone before the last cut.
    assert found[min(tracks, key=lambda track: track["first"])["person"]] == "Grace"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@needs_embedding
def test_a_person_who_is_not_there_is_said(photos, tmp_path, caplog):
    out = tmp_path / "tracks.json"
    options = Options(input=SAMPLES / "portrait.mp4", output=out, duration="0.2")
    analyze_video(options, references=[(photos["grace"], "Grace")])
    assert names(out) == {1: None}
    assert (
        "nobody in the video looks like the photograph of Grace; person 1 is nearest, at a distance of 0."
        in caplog.text
    )


@needs_embedding
@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ([("nobody", "Ada")], InputError, r"nobody\.png shows no face; give a photograph"),
        ([("gone", "Ada")], InputError, r"gone\.jpg cannot be read: No such file or directory"),
        ([("text", "Ada")], InputError, r"text\.jpg is not a photo that can be read"),
        ([("grace", "Ada"), ("eileen", "Ada")], UsageError, "names Ada twice"),
    ],
)
def test_photographs_that_cannot_be_used(photos, given, kind, said):
    setup = AnalysisSetup.resolve(Options(input=SAMPLES / "portrait.mp4"))
    known = photos | {"gone": Path("gone.jpg")}
    with pytest.raises(kind, match=said):
        ReferencePhotos([(known[photo], name) for photo, name in given], IdentityEmbedding(), setup)


def test_looks_are_not_enough(photos):
    setup = AnalysisSetup.resolve(Options(input=SAMPLES / "portrait.mp4"))
    with pytest.raises(UsageError, match=r'pip install "vidrestore\[persons\]"'):
        ReferencePhotos([(photos["grace"], "Grace")], LooksEmbedding(), setup)


class Recorder(IdentityEmbedding):
    """Keeps the aligned faces that it is given."""

    def __init__(self) -> None:
        self.faces: list[np.ndarray] = []

    def __call__(self, faces: Sequence[np.ndarray]) -> np.ndarray:
        self.faces += faces
        return np.zeros((len(faces), 128), np.float32)


def test_photographs_are_those_that_can_be_restored(photos, tmp_path):
    """HEIC, as telephones make them, deep TIFFs, and photos that are displayed turned show the same face."""
    rgb = cv2.cvtColor(cv2.imread(str(photos["grace"])), cv2.COLOR_BGR2RGB)
    cv2.imwrite(str(tmp_path / "deep.tif"), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR).astype(np.uint16) * 257)
    turned, tags = Image.fromarray(np.ascontiguousarray(np.rot90(rgb))), Image.Exif()
    tags[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=tags)
    files = [photos["grace"], tmp_path / "deep.tif", tmp_path / "turned.png"]
    if find_spec("pillow_heif"):
        from pillow_heif import from_pillow

        files.append(tmp_path / "telephone.heic")
        from_pillow(Image.fromarray(rgb)).save(files[-1], quality=95)
    recorder = Recorder()
    setup = AnalysisSetup.resolve(Options(input=SAMPLES / "portrait.mp4"))
    ReferencePhotos([(path, path.name) for path in files], recorder, setup)
    first, *others = recorder.faces
    assert first.shape == (512, 512, 3)
    for other in others:
        assert np.abs(first.astype(int) - other).mean() < 3
