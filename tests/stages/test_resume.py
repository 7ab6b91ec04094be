"""The resume key: what a run must have in common with the one it continues."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import pytest

from tests.support import upscalers
from tests.support.clips import pattern, write
from tests.support.onnx_files import save_restorer
from tests.support.tiny import save_weights
from vidrestore.option_types import display_name
from vidrestore.options import Options
from vidrestore.stages.resume import _RESOLVED, NO_EFFECT, file_fingerprint, result_key, run_key
from vidrestore.stages.setup import Setup
from vidrestore.weights.packages import package_version


@pytest.fixture
def options(tmp_path) -> Options:
    clip = write(tmp_path / "in.mp4", [pattern(i, 64, 48, "yuv420p") for i in range(3)])
    return Options(input=clip, output=tmp_path / "out.mkv", device="cpu", precision="fp32")


def key_of(options: Options, length: int = 10) -> dict[str, str]:
    return run_key(options, Setup.resolve(options), length=length)


def test_each_option_is_keyed_or_left_out_for_a_reason(options):
    key = key_of(options)
    names = {field.name: display_name(field) for field in fields(Options)}
    assert set(names) >= NO_EFFECT | _RESOLVED
    assert not NO_EFFECT & _RESOLVED
    for name, shown in names.items():
        assert (shown in key) == (name not in NO_EFFECT | _RESOLVED)


@pytest.mark.parametrize(
    "changes",
    [
        {"batch": 3},
        {"profile": True},
        {"overwrite": True},
        {"offline": True},
        {"strict": True},
        {"model": "lite"},  # what auto is offline
        {"detector": "retinaface_mobile0.25"},
        {"codec": "libx264", "crf": 16, "preset": "medium"},  # the defaults
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_does_not_change_a_frame_does_not_change_the_key(options, changes):
    assert key_of(replace(options, **changes)) == key_of(options)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"w": 0.6}, "--w"),
        ({"min_face": 30}, "--min-face"),
        ({"start": Fraction(1, 25)}, "-ss"),
        ({"container": "matroska"}, "-f"),
        ({"crf": 20}, "the encoder"),
        ({"precision": "bf16"}, "the precision"),
        ({"steady": "none"}, "--steady"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_changes_frames_is_named(options, changes, named):
    before, after = key_of(options), key_of(replace(options, **changes))
    assert {name for name in before if before[name] != after[name]} == {named}


def test_an_upscaler_is_keyed_by_its_content_and_by_what_runs_it(options, tmp_path, monkeypatch):
    paths = [upscalers.save(upscalers.compact(seed=seed), tmp_path / f"{seed}.pth") for seed in (0, 1)]
    enlarged = [replace(options, upscale=2, background=str(path)) for path in paths]
    first, second, resampled = map(key_of, (*enlarged, replace(options, upscale=2)))
    assert {name for name in first if first[name] != second[name]} == {"the upscaler"}
    assert first.keys() - resampled.keys() == {"the upscaler"}
    monkeypatch.setattr("vidrestore.stages.resume.package_version", lambda package: f"{package} 99")
    changed = {name for name, value in key_of(enlarged[0]).items() if value != first[name]}
    assert changed == {"the upscaler"}  # the embedded restorer needs no package


def test_the_packages_that_run_models_are_keyed(options, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    graph, own = save_restorer(tmp_path / "own.onnx", side=64), save_weights(tmp_path / "own.pth")
    run_by = {}
    for weights in (None, graph, own):
        run_by[weights] = key_of(replace(options, weights=weights))["what runs the model"]
    assert run_by[None] == "PyTorch"
    assert run_by[graph] == package_version("onnxruntime")
    assert run_by[own] == package_version("spandrel")


def test_the_segment_length_is_keyed(options):
    assert key_of(options, length=10) != key_of(options, length=20)


def test_a_fingerprint_follows_the_content(tmp_path):
    path = tmp_path / "in.bin"
    path.write_bytes(bytes(3 << 20))
    before, times = file_fingerprint(path), path.stat()
    assert file_fingerprint(path) == before
    found = {before}
    for place in (0, (3 << 20) - 5):
        path.write_bytes(bytes(3 << 20))
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"x")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        found.add(file_fingerprint(path))
    path.write_bytes(bytes(3 << 20))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 10**9))
    found.add(file_fingerprint(path))
    assert len(found) == 4


def test_a_fingerprint_of_an_image_sequence_follows_its_folder(tmp_path):
    for i in range(3):
        (tmp_path / f"{i:02}.png").write_bytes(b"picture")
    pattern_path = Path(tmp_path / "%02d.png")
    before = file_fingerprint(pattern_path)
    for other in ("notes.txt", "sheet.png", "._01.png", "1.png"):
        (tmp_path / other).write_text("")
    assert file_fingerprint(pattern_path) == before
    (tmp_path / "03.png").write_bytes(b"picture")
    more = file_fingerprint(pattern_path)
    assert more != before
    (tmp_path / "01.png").write_bytes(b"another")
    assert file_fingerprint(pattern_path) not in (before, more)


def test_an_edit_anywhere_in_a_mask_changes_the_key(options, tmp_path):
    """Also one that leaves the size as it is, as in raw video."""
    setup, mask = Setup.resolve(options), tmp_path / "mask.y4m"
    given = replace(options, task="inpaint", mask=mask)
    content, keys = bytearray(8 << 20), []
    for place in (0, 2 << 20):  # neither the start nor the middle nor the end
        content[place] = 255
        mask.write_bytes(content)
        keys.append(result_key(given, setup.restorer, setup.detector, setup.upscaler)["the mask"])
    assert keys[0] != keys[1]


def test_the_key_of_results_needs_no_input_and_has_the_options_of_the_encoder(options):
    gone = replace(options, input=Path("gone.mp4"), crf=20)
    setup = Setup.resolve(options)
    key = result_key(gone, setup.restorer, setup.detector, setup.upscaler)
    assert key["--crf"] == "20.0"
    assert key.items() >= {k: v for k, v in key_of(options).items() if k.startswith("--")}.items()
    assert "the input" not in key
