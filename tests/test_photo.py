"""Whole photos, from file to file."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.support import photos, tiny
from vidrestore.errors import InputError, LossError, OutputError, UsageError, VidrestoreError
from vidrestore.media.photo.formats import photo_format
from vidrestore.options import Options
from vidrestore.photo import plan_photo, restore_photo
from vidrestore.stages.networks import Networks

NETWORKS = Networks()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return tiny.save_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    scene = np.full((220, 400, 3), 120, np.uint8)
    scene[..., 1] = np.arange(400) // 2
    scene[30:190, 20:180] = photos.face(160)
    scene[30:190, 220:380] = photos.face(160)[:, ::-1]
    return scene


@pytest.fixture
def source(tmp_path, scene):
    return photos.save(tmp_path / "in.png", scene)


@pytest.fixture
def restore(weights, tmp_path):
    def restore(source, out, **given):
        options = Options(
            input=source,
            output=tmp_path / out,
            weights=weights,
            **{"min_face": 0, "max_sharpness": 0} | given,
        )
        return restore_photo(options, photo_format(source), networks=NETWORKS)

    return restore


def test_only_faces_of_a_photo_change(restore, source, scene, tmp_path):
    report = restore(source, "out.png")
    assert (report.faces, len(report.found), report.frames, report.size) == (2, 2, 1, (400, 220))
    assert report.warning is None
    assert "2 of 2 faces restored" in str(report)
    after = photos.load(tmp_path / "out.png")
    changed = (after != scene).any(axis=2)
    assert changed.any()
    assert not changed[:, 185:215].any()
    with Image.open(tmp_path / "out.png") as image:
        assert image.info["icc_profile"] == photos.icc()
        assert image.getexif()[271] == photos.MAKE


@pytest.mark.parametrize("orientation", [2, 6, 7])
def test_a_turned_photo_stays_as_it_is_stored(restore, scene, tmp_path, orientation):
    upright = Image.fromarray(scene)
    back = {2: Image.Transpose.FLIP_LEFT_RIGHT, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE}
    stored = np.asarray(upright.transpose(back[orientation]))
    source = photos.save(tmp_path / "turned.png", stored, orientation=orientation)
    assert restore(source, "out.png").faces == 2
    after = photos.load(tmp_path / "out.png")
    assert after.shape == stored.shape
    assert Image.open(tmp_path / "out.png").getexif()[274] == orientation
    assert 0 < (after != stored).any(axis=2).mean() < 0.5


@pytest.mark.parametrize("given", [{"face": [2]}, {"only_center_face": True}])
def test_one_face_of_several(restore, source, scene, tmp_path, given):
    report = restore(source, "out.png", **given)
    assert report.faces == 1
    changed = (photos.load(tmp_path / "out.png") != scene).any(axis=2)
    sides = changed[:, :200].any(), changed[:, 200:].any()
    assert sides == (False, True) if "face" in given else sides.count(True) == 1


def test_a_face_that_is_not_there(restore, source):
    with pytest.raises(InputError, match=r"--face 3 is not there: in.png has 2 faces"):
        restore(source, "out.png", face=[1, 3])


def test_an_aligned_face_is_not_searched(restore, tmp_path):
    grey = np.full((128, 128, 3), 90, np.uint8)
    grey += np.random.default_rng(0).integers(0, 30, grey.shape, np.uint8)
    source = photos.save(tmp_path / "aligned.png", grey)
    assert restore(source, "out.png", aligned=True, max_yaw=0).faces == 1
    photos.save(source, grey[:100])
    with pytest.raises(UsageError, match="--aligned is for square pictures"):
        restore(source, "out.png", aligned=True, overwrite=True)


def test_enlarged(restore, scene, tmp_path):
    source = photos.save(tmp_path / "in.png", np.dstack([scene, scene[..., 1]]))
    report = restore(source, "out.tif", upscale=2)
    assert report.size == (800, 440)
    with Image.open(tmp_path / "out.tif") as image:
        assert image.size == (800, 440)
        assert image.mode == "RGBA"
        assert image.getexif().get_ifd(0x8769)[photos.WIDTH] == 800


def test_nothing_is_written_after_an_error(restore, source, tmp_path):
    with pytest.raises(OutputError, match="is the input itself"):
        restore(source, "in.png", overwrite=True)
    (tmp_path / "old.png").write_bytes(b"old")
    with pytest.raises(OutputError, match="exists; give -y"):
        restore(source, "old.png")
    with pytest.raises(UsageError, match="does not have the extension of a photo"):
        restore(source, "out.mp4")
    with pytest.raises(UsageError, match="cannot be written to standard output"):
        restore(source, "/dev/null")
    Image.fromarray(np.zeros((9, 9, 4), np.uint8)).save(tmp_path / "clear.png")
    with pytest.raises(LossError, match="loses its transparency"):
        restore(tmp_path / "clear.png", "out.jpg", strict=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clear.png", "in.png", "old.png"]


def test_a_photo_without_faces_says_so(restore, tmp_path):
    Image.new("RGB", (90, 60)).save(tmp_path / "in.png")
    assert (
        restore(tmp_path / "in.png", "out.png").warning
        == "no faces were found: out.png is the input, written anew"
    )


def test_a_plan(source, weights, tmp_path):
    options = Options(input=source, output=tmp_path / "out.jpg", weights=weights, upscale=2)
    planned = plan_photo(options, photo_format(source))
    assert planned.data["output"]["width"] == 800
    assert [face["number"] for face in planned.data["faces"]] == [1, 2]
    text = str(planned)
    assert "PNG, 400x220, 8 bits, RGB, orientation 1, EXIF, XMP, colour profile" in text
    assert "JPEG, 800x440, lossy, enlarged 2 times" in text
    assert not (tmp_path / "out.jpg").exists()


def test_a_plan_downloads_nothing(source, tmp_path, monkeypatch):
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "")  # a request would be an error of the test's network
    options = Options(
        input=source, output=tmp_path / "out.png", detector="retinaface_resnet50", model="gfpgan-1.4"
    )
    planned = plan_photo(options, photo_format(source))
    assert planned.data["faces"] is None
    assert [file["name"] for file in planned.data["downloads"]] == ["retinaface_resnet50", "gfpgan-1.4"]
    text = str(planned)
    assert "faces are not looked for: retinaface_resnet50, which finds them, is not in the cache" in text
    assert "would download retinaface_resnet50 (109.5 MB; licence: MIT" in text
    # Without a name the embedded detector is used, and lite if the download fails.
    planned = plan_photo(Options(input=source, output=tmp_path / "out.png"), photo_format(source))
    assert [face["number"] for face in planned.data["faces"]] == [1, 2]
    assert "model: codeformer (or lite, if it cannot be downloaded)" in str(planned)
    assert "would download codeformer (376.6 MB; licence: S-Lab" in str(planned)


def test_the_licence_is_minded(source, tmp_path):
    options = Options(input=source, output=tmp_path / "out.png", model="codeformer", commercial=True)
    with pytest.raises(VidrestoreError, match="commercial"):
        restore_photo(options, photo_format(source))
