"""The ship gate on invented figures."""

from copy import deepcopy

import pytest

from vidrestore.measure.gate import RULES, gate_table, judge, perceptual_rules

#: A model that passes every rule by a small margin.
LEVELS = {
    "mild": {
        "input": {"psnr": 30.0, "alex": 0.20, "vgg": 0.2, "identity": 0.10, "identity_median": 0.10},
        "nlm + unsharp": {"psnr": 30.5},
        "m w=0": {"psnr": 20.0, "alex": 0.50, "vgg": 0.5, "identity": 0.60, "identity_median": 0.44},
        "m w=0.5": {"psnr": 25.0, "alex": 0.50, "vgg": 0.5, "identity": 0.60, "identity_median": 0.60},
        "m w=1": {"psnr": 30.6, "alex": 0.16, "vgg": 0.3, "identity": 0.11, "identity_median": 0.11},
    },
    "medium": {
        "input": {"psnr": 25.0, "alex": 0.40, "vgg": 0.4, "identity": 0.30, "identity_median": 0.30},
        "nlm + unsharp": {"psnr": 25.2},
        "m w=0.5": {"psnr": 20.0, "alex": 0.27, "vgg": 0.2, "identity": 0.31, "identity_median": 0.31},
        "m w=1": {"psnr": 25.3, "alex": 0.27, "vgg": 0.2, "identity": 0.29, "identity_median": 0.29},
    },
    "heavy": {
        "input": {"psnr": 22.0, "alex": 0.60, "vgg": 0.6, "identity": 0.50, "identity_median": 0.50},
        "nlm + unsharp": {"psnr": 22.1},
        "m w=0.5": {"psnr": 20.0, "alex": 0.41, "vgg": 0.3, "identity": 0.52, "identity_median": 0.52},
        "m w=1": {"psnr": 22.2, "alex": 0.38, "vgg": 0.3, "identity": 0.90, "identity_median": 0.90},
    },
}


def test_a_model_that_passes() -> None:
    verdicts = judge(LEVELS, "m")
    assert len(verdicts) == len(RULES) == 16
    assert [v.what for v in verdicts if v.passed is not True] == []


@pytest.mark.parametrize(
    ("level", "method", "figure", "value", "failed"),
    [
        ("mild", "m w=1", "psnr", 30.2, ["w=1 mild: PSNR above that of nlm + unsharp"]),
        ("medium", "input", "psnr", 25.3, ["w=1 medium: PSNR above that of input"]),
        ("heavy", "nlm + unsharp", "psnr", 22.3, ["w=1 heavy: PSNR above that of nlm + unsharp"]),
        ("mild", "m w=1", "alex", 0.171, ["w=1 mild: perceptual (alex) 15 % below the input's"]),
        ("medium", "m w=1", "alex", 0.281, ["w=1 medium: perceptual (alex) 30 % below the input's"]),
        ("heavy", "m w=1", "alex", 0.391, ["w=1 heavy: perceptual (alex) 35 % below the input's"]),
        ("mild", "m w=1", "identity", 0.121, ["w=1 mild: identity at most .02 above the input's"]),
        ("medium", "m w=1", "identity", 0.30, ["w=1 medium: identity below the input's"]),
        ("medium", "m w=0.5", "alex", 0.281, ["w=0.5 medium: perceptual (alex) 30 % below the input's"]),
        ("heavy", "m w=0.5", "alex", 0.421, ["w=0.5 heavy: perceptual (alex) 30 % below the input's"]),
        ("medium", "m w=0.5", "identity", 0.316, ["w=0.5 medium: identity at most 5 % above the input's"]),
        ("heavy", "m w=0.5", "identity", 0.526, ["w=0.5 heavy: identity at most 5 % above the input's"]),
        ("mild", "m w=0", "identity_median", 0.45, ["w=0 mild: identity below .45 in the median"]),
    ],
)
def test_each_rule_fails_alone(level: str, method: str, figure: str, value: float, failed: list[str]) -> None:
    levels = deepcopy(LEVELS)
    levels[level][method][figure] = value
    assert [v.what for v in judge(levels, "m") if not v.passed] == failed


def test_the_perceptual_network_can_be_chosen() -> None:
    """With VGG, the invented model fails at level mild only."""
    failed = [v.what for v in judge(LEVELS, "m", net="vgg", rules=perceptual_rules()) if not v.passed]
    assert failed == ["w=1 mild: perceptual (vgg) 15 % below the input's"]


def test_a_rule_without_measurement_does_not_pass() -> None:
    verdicts = judge({"mild": LEVELS["mild"]}, "m")
    assert {v.what.split(":")[0] for v in verdicts if v.passed is None} == {
        "w=1 medium",
        "w=1 heavy",
        "w=0.5 medium",
        "w=0.5 heavy",
    }
    assert all(v.found == "not measured" for v in verdicts if v.passed is None)


def test_the_table_shows_required_and_measured_values() -> None:
    lines = gate_table(judge(LEVELS, "m")).splitlines()
    assert len(lines) == 1 + len(RULES)
    line = next(line for line in lines if line.startswith("w=1 medium: perceptual"))
    assert line.split("input's")[1].split() == ["<=", "0.280", "0.270", "(-32.5", "%)", "pass"]
