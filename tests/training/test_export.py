"""Export: a weights file in half precision with its metadata."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.support.small_training import CONFIG
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerConfig, build_codeformer
from vidrestore.restoration.load import load_restorer
from vidrestore.training.export import export
from vidrestore.weights.store import load_state


def test_an_exported_network_is_read_again(tmp_path: Path) -> None:
    config = CodeFormerConfig.from_dict(CONFIG["model"])
    network = CodeFormer(config)
    path = tmp_path / "new" / "small.safetensors"
    export(network.state_dict(), config, path, version="3", about="blobs")
    state, metadata = load_state(path)
    assert {value.dtype for value in state.values()} == {torch.float16}
    assert json.loads(metadata["config"]) == json.loads(json.dumps(config.to_dict()))
    assert (metadata["version"], metadata["about"], metadata["licence"]) == ("3", "blobs", "unknown")
    assert not {"readable", "codes_hold"} & {*metadata}
    again = build_codeformer(state, metadata, "the file")
    for name, value in again.state_dict().items():
        torch.testing.assert_close(value, network.state_dict()[name], rtol=1e-3, atol=1e-4)


def test_a_network_declares_its_licence_and_what_it_can_read(tmp_path: Path) -> None:
    config = CodeFormerConfig.from_dict(CONFIG["model"])
    path = tmp_path / "small.safetensors"
    state = CodeFormer(config).state_dict()
    export(
        state,
        config,
        path,
        version="1",
        about="blobs",
        licence="CC0-1.0",
        readable=(0.2, 0.3),
        codes_hold=(0.4, 0.5),
    )
    spec = load_restorer(path, device=torch.device("cpu"), precision="fp32").spec
    assert (spec.licence, spec.readable, spec.codes_hold) == ("CC0-1.0", (0.2, 0.3), (0.4, 0.5))


def test_weights_of_another_network_are_not_exported(tmp_path: Path) -> None:
    config = CodeFormerConfig.from_dict(CONFIG["model"])
    other = CodeFormerConfig.from_dict(CONFIG["model"] | {"channels": 32})
    with pytest.raises(RuntimeError, match="size mismatch"):
        export(CodeFormer(other).state_dict(), config, tmp_path / "a.safetensors", version="1", about="")
    assert list(tmp_path.iterdir()) == []
