"""``vidrestore ui``."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidrestore.errors import InputError, OutputError, UsageError, VidrestoreError
from vidrestore.runtime.lock import hold
from vidrestore.ui import command
from vidrestore.ui.command import parse, ui_command
from vidrestore.ui.config import Config


def test_by_default_only_this_machine_is_served():
    config = parse([])
    assert config.is_local
    assert (config.auth, config.token, config.opened) == (None, None, ())


def test_other_machines_need_a_password_or_a_token():
    assert parse(["--host", "0.0.0.0", "--auth", "ada:x"]).token is None
    one, two = parse(["--host", "0.0.0.0"]), parse(["--host", "192.168.1.5"])
    assert one.token
    assert len(one.token) >= 32
    assert one.token != two.token
    assert one.token in one.address


def test_what_is_given(tmp_path):
    config = parse(["--open", str(tmp_path), "--max-upload", "2GB", "--folder", "x", "--port", "80"])
    assert config.opened == (tmp_path,)
    assert (config.most_bytes, config.folder, config.port) == (2 * 10**9, Path("x").absolute(), 80)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--port", "0"], UsageError),
        (["--auth", "ada"], UsageError),
        (["--auth", ":x"], UsageError),
        (["--max-upload", "none"], UsageError),
        (["--max-upload", "much"], UsageError),
        (["--open", "/nothing/here"], InputError),
        (["film.mp4"], UsageError),
    ],
)
def test_what_is_wrong_is_said(arguments, error):
    with pytest.raises(error):
        parse(arguments)


def test_an_address_that_is_taken_is_one_sentence(tmp_path):
    with command.listen(Config(folder=tmp_path, port=0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}: .*; choose another --port"):
            command.listen(Config(folder=tmp_path, port=port))
    with pytest.raises(UsageError, match="cannot be listened on"):
        command.listen(Config(folder=tmp_path, host="no such name"))


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_without_the_extra_one_sentence_says_so(monkeypatch, missing):
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(VidrestoreError, match=r'pip install "vidrestore\[ui\]"'):
        ui_command([])


def test_one_server_has_a_folder(tmp_path, monkeypatch):
    with hold(tmp_path / "lock"), pytest.raises(UsageError, match="another server has"):
        ui_command(["--folder", str(tmp_path), "--port", "39127"])
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="choose another --folder"):
        ui_command(["--folder", str(tmp_path / "file" / "x"), "--port", "39127"])
