"""Input files made by an ffmpeg binary, of the kinds that people have: any container, codec and tag."""

from __future__ import annotations

import subprocess
from pathlib import Path

import ffmpeg

from tests.support.reader import binary

#: A subtitle file, and the same as start, end and text.
SRT = """1
00:00:00,100 --> 00:00:00,500
Hello <i>you</i>

2
00:00:00,600 --> 00:00:01,000
Zwei
Zeilen ÄÖ
"""
SUBTITLES = [(0.1, 0.5, "Hello you"), (0.6, 1.0, "Zwei\nZeilen ÄÖ")]
#: Tags and chapters, as ffmpeg writes them.
TAGS = """;FFMETADATA1
title=A title
artist=Somebody
custom=kept
[CHAPTER]
TIMEBASE=1/1000
START=0
END=400
title=Opening
[CHAPTER]
TIMEBASE=1/1000
START=400
END=1000
title=Rest
"""
#: ffmpeg's sources of 1.2 s of a moving pattern, and of a tone.
VIDEO = ("testsrc=s=64x48:r=25:d=1.2", {"f": "lavfi"})
OTHER_VIDEO = ("testsrc2=s=32x32:r=25:d=1.2", {"f": "lavfi"})
AUDIO = ("sine=440:d=1.2:r=48000", {"f": "lavfi"})
OTHER_AUDIO = ("sine=880:d=1.2:r=48000", {"f": "lavfi"})


def make(
    path: Path,
    *inputs: Path | tuple[str, dict],
    select: str | None = None,
    tags: Path | None = None,
    arguments: tuple[str, ...] = (),
    **options: object,
) -> Path:
    """Encode ``inputs``, each a file or the name and options of one of ffmpeg's sources, into ``path``.

    ``select`` lists the streams to take, as in ``0:v 1:a``; by default all of each input. ``tags`` is a file
    of tags and chapters. ``options`` are ffmpeg's output options without their dash; ``arguments`` are
    inserted into its command line as they are.
    """
    streams = [
        ffmpeg.input(given[0], **given[1]) if isinstance(given, tuple) else ffmpeg.input(str(given))
        for given in inputs
    ]
    selected = []
    for selector in (select or " ".join(map(str, range(len(inputs))))).split():
        number, _, kind = selector.partition(":")
        selected.append(streams[int(number)][kind] if kind else streams[int(number)])
    options = {"pix_fmt": "yuv420p", "map_metadata": len(inputs) if tags else -1} | options
    command = ffmpeg.output(*selected, str(path), **options).overwrite_output().compile(cmd=binary())
    place = command.index(str(path))
    command[place:place] = arguments
    if tags:
        command += ["-i", str(tags)]
    done = subprocess.run([*command, "-v", "error"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return path


def subtitle_file(folder: Path, ending: str = ".srt") -> Path:
    """A subtitle file with the text of :data:`SRT`."""
    path = folder / "text.srt"
    path.write_text(SRT, encoding="utf-8")
    return path if ending == ".srt" else make(folder / f"text{ending}", path)


def tags_file(folder: Path) -> Path:
    """A file of :data:`TAGS`."""
    path = folder / "tags.txt"
    path.write_text(TAGS, encoding="utf-8")
    return path


def picture_file(folder: Path, ending: str = ".png") -> Path:
    """A small cover."""
    return make(
        folder / f"cover{ending}",
        OTHER_VIDEO,
        pix_fmt="yuvj420p" if ending == ".jpg" else "rgb24",
        **{"frames:v": 1},
    )


def full_file(folder: Path, ending: str = ".mkv") -> Path:
    """A file with a video, two audio streams, subtitles, chapters and tags, and what its container holds of a
    font and a cover; streams have languages, titles and dispositions."""
    text, tags = subtitle_file(folder), tags_file(folder)
    arguments = (
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"),
        *("-metadata:s:a:1", "title=The director speaks", "-metadata:s:s:0", "language=fil"),
        *("-disposition:a:0", "default", "-disposition:a:1", "comment", "-disposition:s:0", "forced"),
    )
    subtitles = {".webm": "webvtt", ".mkv": "srt"}.get(ending, "mov_text")
    audio = "libopus" if ending == ".webm" else "aac"
    options = {"c:v": "libvpx-vp9" if ending == ".webm" else "libx264", "c:a": audio, "c:s": subtitles}
    if ending == ".mkv":
        font = folder / "font.ttf"
        font.write_bytes(b"\0\1\0\0" + b"glyphs" * 50)
        picture = picture_file(folder)
        arguments += ("-attach", str(font), "-metadata:s:t:0", "mimetype=application/x-truetype-font")
        arguments += ("-attach", str(picture), "-metadata:s:t:1", "mimetype=image/png")
        arguments += ("-metadata:s:t:1", "filename=cover.png")
    inputs = (VIDEO, AUDIO, OTHER_AUDIO, text)
    select = "0:v 1:a 2:a 3:s"
    if ending == ".mp4":
        inputs = (*inputs, picture_file(folder, ".jpg"))
        select += " 4:v"
        options["disposition:v:1"] = "attached_pic"
        options["c:v:1"] = "copy"
    return make(folder / f"full{ending}", *inputs, select=select, tags=tags, arguments=arguments, **options)
