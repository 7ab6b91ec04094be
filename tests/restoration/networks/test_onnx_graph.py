"""What is said of an ONNX file that is no restorer of aligned faces."""

from __future__ import annotations

import pytest

from tests.support.onnx_files import save_other, save_restorer
from vidrestore.errors import WeightsError
from vidrestore.restoration.networks.onnx_graph import read_graph

ort = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
FACE = (1, 3, 512, 512)


def graph_of(path):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return read_graph(session, path.name, None)


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"),
    [
        ([(1, 3, 512, 256)], [FACE], r"its input is in0 \(1 x 3 x 512 x 256\)"),
        ([(1, 1, 512, 512)], [FACE], r"its input is in0 \(1 x 1 x 512 x 512\)"),
        ([(8, 3, 512, 512)], [FACE], r"its input is in0 \(8 x"),
        ([(1, 3, 32, 32)], [(1, 3, 32, 32)], "its input is in0"),
        ([(1, 512)], [FACE], r"its inputs are in0 \(1 x 512\)"),
        ([FACE, FACE], [FACE], "its inputs are in0 .*, in1"),
        ([FACE, (1, 512)], [FACE], r"its inputs are in0 .*, in1 \(1 x 512\)"),
        ([FACE, (1,), (1,)], [FACE], "its inputs are in0 .*, in1 .*, in2"),
        ([FACE], [(1, 512)], r"its outputs are out0 \(1 x 512\)"),
        ([FACE], [(1, 19, 512, 512)], "its outputs are out0"),
        ([FACE], [(1, 3, 2048, 2048)], "it enlarges pictures 4 times"),
        ([FACE], [(1, 3, 256, 256)], "it makes pictures of 0.5 times the size of its input"),
        ([(1, 3, 128, 128)], [(1, 3, 256, 256)], "it enlarges pictures 2 times"),
    ],
)
def test_a_graph_that_is_no_restorer(tmp_path, inputs, outputs, words):
    path = save_other(tmp_path / "n.onnx", inputs, outputs)
    with pytest.raises(WeightsError, match=f"n.onnx is not a restorer of aligned faces: {words}"):
        graph_of(path)


@pytest.mark.parametrize("factor", [2, 4])
def test_a_network_for_pictures_of_any_size_that_enlarges_them(tmp_path, factor):
    with pytest.raises(WeightsError, match=f"enlarges pictures {factor} times, as super-resolution"):
        graph_of(save_restorer(tmp_path / "n.onnx", side="height", factor=factor))


def test_a_restorer_of_faces_of_any_size_takes_the_usual_ones(tmp_path):
    graph = graph_of(save_restorer(tmp_path / "n.onnx", side="height"))
    assert (graph.input_side, graph.output_side, graph.weight) == (512, 512, None)
