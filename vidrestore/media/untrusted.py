"""Files that strangers gave: what FFmpeg may do with them."""

from __future__ import annotations

import os

#: If this is set in the environment, inputs are treated as a stranger's. Child processes inherit it.
VARIABLE = "VIDRESTORE_UNTRUSTED"
#: FFmpeg's protocols that may be opened: no network, and nothing that reads other files under other names.
PROTOCOLS = ("file", "pipe")
#: FFmpeg's demuxers that may be used, each of which reads one file and no other. Playlists and scripts (hls,
#: dash, concat, imf, sdp) name other files or addresses; vobsub and image2 look for files beside theirs.
DEMUXERS = (
    *("apng", "asf", "avi", "av1", "dv", "flv", "gif", "h264", "hevc", "ivf", "m4v"),
    *("matroska", "mov", "mpeg", "mpegts", "mpegvideo", "mxf", "nut", "obu", "ogg", "yuv4mpegpipe"),
)


def is_restricted() -> bool:
    """Whether inputs are a stranger's."""
    return bool(os.environ.get(VARIABLE))


def opening_options() -> dict[str, str]:
    """Options with which FFmpeg opens an input.

    A demuxer that is not allowed makes it fail. ``mov`` does not follow references to other files unless it
    is told to (``enable_drefs``).
    """
    if not is_restricted():
        return {}
    return {"protocol_whitelist": ",".join(PROTOCOLS), "format_whitelist": ",".join(DEMUXERS)}
