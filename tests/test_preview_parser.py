"""The parser of ``vidrestore preview``."""

from __future__ import annotations

from dataclasses import fields

import pytest

from vidrestore.cli_parser import options_of
from vidrestore.errors import UsageError
from vidrestore.options import Options
from vidrestore.preview_parser import parse_preview, preview_parser
from vidrestore.stages.resume import NO_EFFECT

#: What the frames of a run depend on, that a preview is told in another way: which of them are shown, and by
#: the name of the file what container they are for.
OTHERWISE = {"input", "start", "duration", "end", "container"}


def test_moments_and_weights():
    args = preview_parser().parse_args(
        ["in.mp4", "-o", "s.png", "--at", "1:30", "--at", "2", "--w", "0,0.5,1", "--worst", "3"]
    )
    assert (args.at, args.w, args.worst) == ([90, 2], (0, 0.5, 1), 3)


@pytest.mark.parametrize("words", ["--at soon", "--worst 0", "--worst many", "--w 2", "--w ,"])
def test_what_is_out_of_range(words):
    with pytest.raises(UsageError):
        preview_parser().parse_args(["in.mp4", "-o", "s.png", *words.split()])


def test_a_preview_has_every_option_that_frames_depend_on():
    """The resume key says which those are."""
    given = set(vars(preview_parser().parse_args(["in.mp4", "-o", "s.png"])))
    depend = {option.name for option in fields(Options)} - NO_EFFECT - OTHERWISE
    assert {"task", "mask", "upscale", "background", "pix_fmt", "w"} <= depend
    assert depend - given == set()


def test_a_preset_is_the_default(tmp_path):
    (tmp_path / "own.yaml").write_text(
        "w: auto\nmin_face: 9\nmask: found\ntask: inpaint\ncrf: 3\nkeep: store\nencoder_options: [a=b]\n"
    )
    words = ["in.mp4", "-o", "s.png", "--config", str(tmp_path / "own.yaml"), "--crf", "5"]
    args = parse_preview(words)
    assert (args.w, args.columns) == ("auto", None)
    with pytest.raises(UsageError, match="fidelity weights are for --task restore"):
        options_of(args)
    options = options_of(parse_preview([*words, "--w", "0.5", "--encoder-opt", "c=d"]))
    assert (options.task, options.mask, options.min_face, options.crf) == ("inpaint", "found", 9, 5)
    assert options.encoder_options == (("a", "b"), ("c", "d"))
    assert options.keep is None
    with pytest.raises(UsageError, match="there is no preset 'none'"):
        parse_preview(["in.mp4", "-o", "s.png", "--config", "none"])


@pytest.mark.parametrize(
    ("words", "w", "columns"),
    [([], 0.5, None), (["--w", "0.2,1"], 0.2, (0.2, 1)), (["--w", "auto"], "auto", ())],
)
def test_columns_of_a_sheet(words, w, columns):
    args = parse_preview(["in.mp4", "-o", "s.png", *words])
    assert (args.w, args.columns) == (w, columns)
