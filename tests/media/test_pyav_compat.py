"""What differs between versions of PyAV behaves alike."""

from __future__ import annotations

import av

from tests.support.frames import clip
from vidrestore.media.pyav_compat import KEEP_METADATA


def test_metadata_that_is_not_utf8_is_kept_byte_for_byte(tmp_path):
    path = tmp_path / "in.mkv"
    with av.open(str(clip(tmp_path / "plain.mkv"))) as plain, av.open(str(path), "w") as titled:
        stream = titled.add_stream_from_template(plain.streams.video[0], opaque=True)
        titled.metadata["title"] = "Caf__"
        for packet in plain.demux():
            if packet.size:
                packet.stream = stream
                titled.mux(packet)
    path.write_bytes(path.read_bytes().replace(b"Caf__", b"Caf\xe9_"))
    with av.open(str(path), **KEEP_METADATA) as container:
        assert container.metadata["title"].encode("utf-8", "surrogateescape") == b"Caf\xe9_"
