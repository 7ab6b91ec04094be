"""The one table of the containers that OUT can be: their names, how FFmpeg muxes them and what they can hold.

To add a container, add a row. Which codecs it holds is not listed here: FFmpeg's muxer is asked, and accepts
or rejects each stream. This module does not import PyAV, so that the command line's ``--help`` stays quick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container. Codecs, tags and dispositions are given by FFmpeg's names for them."""

    name: str  #: of FFmpeg's muxer, as ``-f`` takes it
    extensions: tuple[str, ...]  #: of file names; messages recommend the first
    #: The file format: boxes of QuickTime and the ISO base media file format, or EBML elements of Matroska.
    family: Literal["quicktime", "matroska"]
    muxer_options: Mapping[str, str]  #: for a file
    stream_options: Mapping[str, str]  #: for standard output, which cannot seek

    #: Video codecs that FFmpeg's muxer lists and then rejects.
    rejected_video: frozenset[str] = frozenset()
    #: It stores codecs by names of its own, also those that PyAV does not know it to hold.
    open_codecs: bool = False
    lossless_audio: str | None  #: the lossless codec that its players know; audio is transcoded to it
    text_subtitles: str  #: the codec that text subtitles are transcoded to
    #: Data streams that survive a copy; None means all that its muxer accepts.
    data: frozenset[str] | None = None
    attachments: bool = False  #: such as fonts
    #: Arrangements of the two views of a stereo 3D video, by Matroska's number of them (StereoMode).
    stereo_modes: frozenset[int] = frozenset()
    #: Projections of spherical video, by Matroska's number of them: equirectangular, cubemap, mesh.
    projections: frozenset[int] = frozenset({1, 2})
    #: Those of both that FFmpeg does not write: a finished file is patched.
    patched_stereo_modes: frozenset[int] = frozenset()
    patched_projections: frozenset[int] = frozenset()
    cover_stream: bool = False  #: cover art is a video stream with the disposition ``attached_pic``
    #: Cover art is an attachment: for each codec, the extension and the MIME type of its file.
    cover_files: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    #: Tags of the file that every player reads. Others need a list of keys (``mdta``). None means any.
    file_tags: frozenset[str] | None = None
    longest_tag: int | None = None  #: bytes of a tag that is not in a list of keys; longer ones are cut
    track_tags: frozenset[str] | None = None  #: tags that a track can hold; None means any
    dispositions: frozenset[str]  #: that come back from a file
    subtitle_dispositions: frozenset[str] = frozenset()  #: further ones, of subtitles only

    @property
    def is_quicktime(self) -> bool:
        """MP4 or QuickTime: tracks have language codes of exactly three letters."""
        return self.family == "quicktime"

    @property
    def extension(self) -> str:
        """The usual extension of its files."""
        return self.extensions[0]


#: Matroska's muxer would move all timestamps if one were negative, as that of an audio encoder's first packet
#: is; every frame must keep its own.
_KEEP_TIMESTAMPS = {"avoid_negative_ts": "disabled"}
#: The index goes to the front of the file, for players that stream it. FFmpeg counts the boxes of spherical
#: and stereo 3D video as unofficial.
_INDEX_FIRST = {"movflags": "+faststart", "strict": "unofficial"}
#: An output that cannot seek consists of fragments, each with an index of its own.
_FRAGMENTED = {"movflags": "+frag_keyframe+delay_moov+default_base_moof", "strict": "unofficial"}
#: What FFmpeg writes as tags that every player reads, rather than in a list of keys.
_MP4_TAGS = (
    "title artist album_artist composer album date comment genre copyright grouping lyrics description "
    "synopsis show episode_id network keywords episode_sort season_number media_type hd_video "
    "gapless_playback compilation track disc creation_time location timecode"
)
_MOV_TAGS = "title album date comment genre copyright creation_time location make model timecode"
#: What FFmpeg writes into a track of QuickTime's family.
_TRACK_TAGS = frozenset({"language", "title", "handler_name", "creation_time", "timecode", "rotate"})
_COMMON_DISPOSITIONS = frozenset({"default", "attached_pic"})
_IMPAIRED = frozenset({"hearing_impaired", "visual_impaired"})

MATROSKA = Container(
    name="matroska",
    extensions=(".mkv",),
    family="matroska",
    muxer_options=_KEEP_TIMESTAMPS,
    stream_options=_KEEP_TIMESTAMPS,
    open_codecs=True,
    lossless_audio="flac",
    text_subtitles="subrip",
    attachments=True,
    stereo_modes=frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 11}),
    cover_files={"mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png"), "gif": ("gif", "image/gif")},
    dispositions=_COMMON_DISPOSITIONS | _IMPAIRED | {"dub", "original", "comment", "forced"},
    subtitle_dispositions=frozenset({"descriptions"}),
)
#: FFmpeg has a muxer ``ipod`` for ``.m4v``, the same but for its brand; the file is the same MP4 to players.
MP4 = Container(
    name="mp4",
    extensions=(".mp4", ".m4v"),
    family="quicktime",
    muxer_options=_INDEX_FIRST,
    stream_options=_FRAGMENTED,
    lossless_audio="flac",
    text_subtitles="mov_text",
    data=frozenset({"bin_data"}),  # that of cameras
    stereo_modes=frozenset({1, 2, 3, 11}),
    projections=frozenset({1, 2, 3}),
    patched_projections=frozenset({3}),
    cover_stream=True,
    file_tags=frozenset(_MP4_TAGS.split()),
    track_tags=_TRACK_TAGS,
    dispositions=_COMMON_DISPOSITIONS | _IMPAIRED | {"dub", "comment", "forced", "captions", "descriptions"},
)
MOV = Container(
    name="mov",
    extensions=(".mov",),
    family="quicktime",
    muxer_options=_INDEX_FIRST,
    stream_options=_FRAGMENTED,
    rejected_video=frozenset({"vp8", "vp9", "av1"}),
    # FFmpeg writes only Apple's boxes, without the arrangement of the two views, and few readers know them.
    stereo_modes=frozenset({1, 2, 3, 11}),
    patched_stereo_modes=frozenset({1, 2, 3, 11}),
    projections=frozenset({1, 2, 3}),
    patched_projections=frozenset({1, 2, 3}),
    lossless_audio="alac",
    text_subtitles="mov_text",
    data=frozenset({"bin_data"}),
    file_tags=frozenset(_MOV_TAGS.split()),
    longest_tag=0xFFFF,
    track_tags=_TRACK_TAGS | {"reel_name"},
    dispositions=_COMMON_DISPOSITIONS,
)
WEBM = Container(
    name="webm",
    extensions=(".webm",),
    family="matroska",
    muxer_options=_KEEP_TIMESTAMPS,
    stream_options=_KEEP_TIMESTAMPS,
    lossless_audio=None,
    text_subtitles="webvtt",
    stereo_modes=frozenset({1, 2, 3, 11}),
    dispositions=_COMMON_DISPOSITIONS | {"forced"},
    subtitle_dispositions=frozenset({"captions", "descriptions", "metadata"}),
)

#: All of them by their names, in the order in which messages recommend them.
CONTAINERS = {container.name: container for container in (MATROSKA, MP4, MOV, WEBM)}
#: The same by the extensions of file names.
EXTENSIONS = {extension: container for container in CONTAINERS.values() for extension in container.extensions}
