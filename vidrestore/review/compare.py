"""``--compare``: a second video beside OUT, in which the input and the result can be compared."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from av.video.reformatter import VideoReformatter

from ..errors import OutputError, UsageError, VidrestoreError
from ..media.decode.decoder import Decoder
from ..media.encode.choose import choose_encoder
from ..media.encode.settings import EncoderConfig
from ..media.output.destination import check_output, check_space, container_of, once_complete
from ..media.output.disk_space import space_needed
from ..media.output.special_files import file_behind, is_stream
from ..media.output.writer import StreamWriter
from ..media.remux.stream_plan import restored_stream
from ..media.source_video import SourceVideo
from ..options import Options
from ..stages.setup import encoder_settings, open_video
from .side_by_side import Comparer

log = logging.getLogger(__name__)


def check_comparison(options: Options) -> None:
    """Raise OutputError or UsageError if the comparison that ``options`` ask for cannot or must not be
    written."""
    path = options.compare
    if path is None:
        return
    if is_stream(options.destination):
        raise UsageError("--compare needs OUT to be a file: the result is read from it")
    if is_stream(path):
        raise UsageError("--compare needs a file to write; name one")
    check_output(path, options.input, overwrite=options.overwrite)
    if file_behind(path).absolute() == file_behind(options.destination).absolute():
        raise OutputError(f"--compare {path} is OUT itself; choose another name")


@dataclass
class Comparison:
    """The comparison that a run writes once OUT is complete, but before it appears: a run that is interrupted
    meanwhile resumes. Made at the beginning of a run, so that what cannot be written is refused then."""

    options: Options
    path: Path
    comparer: Comparer
    encoder: EncoderConfig
    progress: Callable[[], None]  #: called after each frame
    failed: VidrestoreError | None = field(default=None, init=False)  #: why there is none

    @classmethod
    def begin(
        cls, options: Options, source: SourceVideo, progress: Callable[[], None] = lambda: None
    ) -> Comparison | None:
        """The comparison that ``options`` ask for, if any. Raises OutputError or UsageError."""
        path = options.compare
        if path is None:
            return None
        comparer = Comparer(source, options.compare_layout)
        encoder = choose_encoder(comparer.video, container_of(path), encoder_settings(options))
        check_space(file_behind(path), space_needed(comparer.video, encoder) // 2)
        return cls(options, path, comparer, encoder, progress)

    def write(self, result: Path) -> None:
        """Compare the input with ``result``, the complete file that OUT will be. An error is kept, so that
        OUT appears nevertheless."""
        log.info("writing the comparison %s", self.path.name)
        try:
            with once_complete(self.options.destination):
                self._write(result)
        except VidrestoreError as error:
            self.failed = error

    def _write(self, result: Path) -> None:
        labels = ("input", f"restored, w {self.options.w}")
        with ExitStack() as stack:
            before = stack.enter_context(open_video(self.options))
            container = container_of(self.options.destination, self.options.container)
            stream = restored_stream(self.options.input, self.options.video_stream, result, container)
            after = stack.enter_context(Decoder(result, video_stream=stream))
            writer = stack.enter_context(StreamWriter(self.path, self.comparer.video, self.encoder))
            convert = VideoReformatter()
            for frame, other in zip(before, after, strict=False):
                shown = other.video
                if shown.format.name != frame.video.format.name:
                    shown = convert.reformat(shown, format=frame.video.format.name)
                writer.write(self.comparer(frame.video, shown, frame.colour, labels))
                self.progress()
