"""What a batch would do."""

from __future__ import annotations

from tests.support.batches import StandIn, make_batch
from tests.support.platforms import posix
from vidrestore.batch.inputs import find_inputs
from vidrestore.batch.listing import plan_batch


def test_a_plan_says_what_goes_where_and_what_is_finished(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    (source / "sub").mkdir(parents=True)
    for name in ("a.avi", "b.mp4", "x.txt"):
        (source / name).write_bytes(b"film")
    names = [str(source / "a.avi"), str(source), "*.none"]

    def planned():
        found = find_inputs(names, out, recursive=False)
        return plan_batch(make_batch(StandIn(), out, dry_run=True), found)

    assert planned().data["files"][0] == {
        "input": str(source / "a.avi"),
        "output": str(out / "a.mkv"),
        "finished": False,
    }
    assert not out.exists()
    make_batch(StandIn(), out).run(find_inputs([str(source / "a.avi")], out, recursive=False))
    assert str(planned()).splitlines() == [
        f"{source / 'a.avi'} -> {out / 'a.mkv'} (finished)",
        f"{source / 'b.mp4'} -> {out / 'b.mp4'}",
        "*.none: no file matches this pattern",
        "1 file is neither a video nor a photo",
        "1 folder in a folder is left out (--recursive enters them)",
    ]


@posix
def test_a_name_with_a_line_break_stays_on_its_line(tmp_path):
    (tmp_path / "a\nb.mp4").write_bytes(b"film")
    found = find_inputs([str(tmp_path)], tmp_path / "out", recursive=False)
    assert (
        len(str(plan_batch(make_batch(StandIn(), tmp_path / "out", dry_run=True), found)).splitlines()) == 1
    )
