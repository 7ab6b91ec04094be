"""What a file of weights is described by."""

from __future__ import annotations

from vidrestore.weights.entry import Network, RemoteWeights, Weights

ABOUT = {
    "name": "it",
    "about": "",
    "filename": "it.pth",
    "licence": "",
    "licence_url": "",
    "commercial": True,
}


def test_what_is_not_part_of_the_package_is_downloaded():
    assert Weights(**ABOUT).embedded
    remote = RemoteWeights(**ABOUT, url="")
    assert not remote.embedded
    assert (remote.size, remote.sha256) == (None, None)


def test_a_network_is_taken_to_be_like_the_known_ones():
    network = Network(backend="onnx", input_size=512, source="")
    assert (network.value_range, network.task, network.output) == ((-1, 1), "restore", None)
