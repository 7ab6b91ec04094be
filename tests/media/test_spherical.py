"""Projections between the boxes of MP4 and the elements of Matroska."""

from __future__ import annotations

import io

import pytest

from tests.support import boxes
from tests.support.frames import clip
from tests.support.matroska import add_to_video
from vidrestore.media.boxes import box
from vidrestore.media.ebml import Element, Id, floating, unsigned
from vidrestore.media.spherical import (
    MESH,
    has_second_layer,
    mesh_of_matroska,
    mesh_of_track,
    projection_type,
    spherical_box,
    stereo_box,
)


def projection(kind: int, *more: Element) -> bytes:
    return b"".join(element.encode() for element in (unsigned(Id.PROJECTION_TYPE, kind), *more))


@pytest.mark.parametrize(("kind", "name"), [(1, b"equi"), (2, b"cbmp")])
def test_without_private_data_all_fields_are_zero(kind, name):
    made = spherical_box(projection(kind))
    assert made[made.index(b"proj") :] == boxes.spherical(name)[boxes.spherical(name).index(b"proj") :]


def test_a_mesh_comes_back_from_mp4(tmp_path):
    content = projection(
        MESH,
        Element(Id.PROJECTION_PRIVATE, bytes(range(90))),
        floating(Id.PROJECTION_POSE_YAW, -90),
        floating(Id.PROJECTION_POSE_ROLL, 1.5),
    )
    plain = clip(tmp_path / "plain.mp4")
    with boxes.add_boxes(plain, tmp_path / "in.mp4", spherical_box(content)).open("rb") as file:
        found = mesh_of_track(file, 1)
        assert mesh_of_track(file, 2) == b""
        assert not has_second_layer(file, 1)
    assert found == content
    assert projection_type(found) == MESH


def test_another_projection_is_no_mesh(tmp_path):
    plain = clip(tmp_path / "plain.mp4")
    with boxes.add_boxes(plain, tmp_path / "in.mp4", boxes.spherical()).open("rb") as file:
        assert mesh_of_track(file, 1) == b""


def test_a_second_layer(tmp_path):
    plain = clip(tmp_path / "plain.mp4")
    with boxes.add_boxes(plain, tmp_path / "in.mp4", box(b"lhvC", bytes(4))).open("rb") as file:
        assert has_second_layer(file, 1)


@pytest.mark.parametrize(("kind", "found"), [(MESH, True), (1, False)])
def test_matroska(tmp_path, kind, found):
    content = projection(kind, Element(Id.PROJECTION_PRIVATE, b"mesh"))
    path = add_to_video(
        clip(tmp_path / "plain.mkv"), tmp_path / "in.mkv", Element(Id.PROJECTION, content).encode()
    )
    with path.open("rb") as file:
        assert mesh_of_matroska(file, 0) == (content if found else b"")
        assert mesh_of_matroska(file, 1) == b""


def test_matroska_that_is_damaged():
    with pytest.raises(ValueError, match="no element"):
        mesh_of_matroska(io.BytesIO(bytes(100)), 0)


@pytest.mark.parametrize(("mode", "number"), [(1, 2), (11, 2), (2, 1), (3, 1)])
def test_stereo(mode, number):
    assert stereo_box(mode) == boxes.stereo(number)
