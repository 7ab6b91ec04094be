"""The commands and the program of docs/page.md run as they are written."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import av
import pytest

from tests.support.page import serving
from vidrestore.cli_parser import Parser
from vidrestore.ui.command import ui_parser

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "page.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```(sh|python)\n(.*?)```", GUIDE, re.DOTALL))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sh", "python"])
def test_an_example(kind, tmp_path):
    if kind == "sh" and not (shutil.which("curl") and shutil.which("sh")):
        pytest.skip("needs curl")
    shutil.copy(ROOT / "samples" / "portrait.mp4", tmp_path)
    with serving(tmp_path / "page") as server:
        code = BLOCKS[kind].replace("localhost:7860", f"127.0.0.1:{server.port}")
        command = ["sh", "-e", "-c", code] if kind == "sh" else [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    with av.open(str(tmp_path / "restored.mp4")) as result:
        assert sum(1 for _ in result.decode(video=0)) == 5


def test_every_request_is_in_the_guide(tmp_path):
    from vidrestore.ui.app import make_app
    from vidrestore.ui.config import Config

    _, api = make_app(Config(folder=tmp_path))
    for route in api.routes():
        last = re.sub(r"\{\w+\}", "ID", f"/api{route.path}").rsplit("/", 1)[-1]
        assert last in GUIDE, route.path
    api.database.close()


def test_every_option_is_in_the_guide():
    parser: Parser = ui_parser()
    for action in parser._actions:
        flag = action.option_strings[-1]
        assert flag in GUIDE or flag in ("--help", "--port")
