"""Who can take part in a film: who makes the same frames, and sees the same input, whatever clocks say."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.clips import pattern, write
from tests.support.tiny import save_weights
from vidrestore.cluster import film as films
from vidrestore.cluster.film import Film, RefusedError, check_worker, content_of, is_content, worker_key
from vidrestore.options import Options
from vidrestore.stages.setup import Setup


@pytest.fixture
def film(tmp_path) -> Film:
    clip = write(tmp_path / "in.mp4", [pattern(i, 64, 48, "yuv420p") for i in range(3)])
    options = Options(
        input=clip,
        output=tmp_path / "out.mkv",
        device="cpu",
        precision="fp32",
        weights=save_weights(tmp_path / "tiny.safetensors"),
    )
    setup = Setup.resolve(options)
    return Film(
        name="a film",
        options=options,
        setup=setup,
        length=10,
        key=worker_key(options, setup),
        content=content_of(clip),
        folder=tmp_path,
        probe="probe",
    )


def test_a_machine_like_the_one_that_leads_takes_part(film):
    check_worker(film)
    check_worker(pickle.loads(pickle.dumps(film)))


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({"vidrestore": "0.0"}, r"vidrestore is not the same \(0\.0, there "),
        ({"the code": "b" * 64}, "the code is not the same$"),
        ({"the precision": "bf16"}, r"the precision is not the same \(bf16, there fp32\)"),
        ({"PyTorch": "1.0"}, r"PyTorch is not the same \(1\.0, there "),
        ({"the model": "tiny " + "0" * 64}, "the model is not the same$"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_another_version_or_other_weights_are_refused_by_name(film, there, said):
    with pytest.raises(RefusedError, match=said):
        check_worker(replace(film, key={**film.key, **there}))


def test_weights_that_are_not_there_are_refused(film):
    film.options.weights.unlink()
    with pytest.raises(RefusedError, match=r"tiny\.safetensors"):
        check_worker(film)


def test_a_tracks_file_need_not_be_there(film):
    """What it says is sent."""
    options = replace(film.options, tracks=Path("not there.json"))
    assert worker_key(options, film.setup) == film.key


def test_the_content_counts_and_the_time_does_not(film):
    path = film.options.input
    assert is_content(path, film.content)
    os.utime(path, (1, 1))  # a machine whose clock is wrong
    assert is_content(path, film.content)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert not is_content(path, film.content)
    assert not is_content(path.with_name("nothing"), film.content)


def test_an_image_sequence_is_its_files(tmp_path):
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(b"picture")
    before = content_of(tmp_path / "%d.png")
    (tmp_path / "3.txt").touch()
    assert content_of(tmp_path / "%d.png") == before
    (tmp_path / "3.png").touch()
    assert content_of(tmp_path / "%d.png") != before


def test_a_disk_error_is_a_refusal(film, monkeypatch):
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "weights.pth")

    monkeypatch.setattr(films, "worker_key", fail)
    with pytest.raises(RefusedError, match=r"weights\.pth cannot be read there: Permission denied"):
        check_worker(film)
