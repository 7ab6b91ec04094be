"""What differs between versions of PyAV behaves alike."""

from __future__ import annotations

import av
from av.sidedata.sidedata import Type
from PIL import Image

from tests.support.clips import tagged
from tests.support.frames import clip
from vidrestore.media.pyav_compat import KEEP_METADATA


def test_metadata_that_is_not_utf8_is_kept_byte_for_byte(tmp_path):
    path = tagged(clip(tmp_path / "plain.mkv"), tmp_path / "in.mkv", tags={"title": "Caf__"})
    path.write_bytes(path.read_bytes().replace(b"Caf__", b"Caf\xe9_"))
    with av.open(str(path), **KEEP_METADATA) as container:
        assert container.metadata["title"].encode("utf-8", "surrogateescape") == b"Caf\xe9_"


def test_side_data_of_unknown_types_does_not_hide_the_rest(tmp_path):
    """A photo with Exif metadata, which also says how it is rotated."""
    photo, tags = Image.new("RGB", (64, 48)), Image.Exif()
    tags[0x0112] = 6
    photo.save(tmp_path / "photo.jpg", exif=tags)
    with av.open(str(tmp_path / "photo.jpg")) as container:
        frame = next(container.decode(video=0))
        assert "EXIF" in {data.type.name for data in frame.side_data}
        assert frame.side_data.get("DISPLAYMATRIX")
    assert Type(1000).name == "UNKNOWN_1000"
