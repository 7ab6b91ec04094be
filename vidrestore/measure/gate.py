"""The ship gate: what a model must reach on validation faces before it ships with the program."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .methods import INPUT, NLM, method_name

#: Mean figures by level, method and name of the figure.
Levels = Mapping[str, Mapping[str, Mapping[str, float]]]

_RELATIONS = {">": operator.gt, "<": operator.lt, "<=": operator.le}


@dataclass(frozen=True)
class Rule:
    """Requires that ``figure`` of a model at ``w`` and ``level`` compares with ``factor * base + offset`` as
    ``relation`` says. The figure ``perceptual`` stands for the distance by either network."""

    w: float
    level: str
    figure: str
    relation: str  #: ">", "<" or "<="
    what: str  #: the requirement in words
    base: str | None = INPUT  #: the method whose figure is the base; None: 0
    factor: float = 1.0
    offset: float = 0.0


RULES = (
    *(
        Rule(1.0, level, "psnr", ">", f"PSNR above that of {base}", base)
        for level in ("mild", "medium", "heavy")
        for base in (INPUT, NLM)
    ),
    Rule(1.0, "mild", "perceptual", "<=", "perceptual 15 % below the input's", factor=0.85),
    Rule(1.0, "medium", "perceptual", "<=", "perceptual 30 % below the input's", factor=0.70),
    Rule(1.0, "heavy", "perceptual", "<=", "perceptual 35 % below the input's", factor=0.65),
    Rule(1.0, "mild", "identity", "<=", "identity at most .02 above the input's", offset=0.02),
    Rule(1.0, "medium", "identity", "<", "identity below the input's"),
    *(
        rule
        for level in ("medium", "heavy")
        for rule in (
            Rule(0.5, level, "perceptual", "<=", "perceptual 30 % below the input's", factor=0.70),
            Rule(0.5, level, "identity", "<=", "identity at most 5 % above the input's", factor=1.05),
        )
    ),
    Rule(0.0, "mild", "identity_median", "<", "identity below .45 in the median", None, offset=0.45),
)


@dataclass(frozen=True)
class Verdict:
    """The result of one rule."""

    what: str  #: the rule in words
    wanted: str  #: the required value
    found: str  #: the measured value
    passed: bool | None  #: None if a figure it needs was not measured


def judge(levels: Levels, model: str, *, net: str = "alex", rules: Sequence[Rule] = RULES) -> list[Verdict]:
    """Apply every rule to the figures of ``model``, with the perceptual distance by the network ``net``."""
    return [_apply(rule, levels, model, net) for rule in rules]


def perceptual_rules() -> list[Rule]:
    """Return the rules on the perceptual distance only, to apply them with another network."""
    return [rule for rule in RULES if rule.figure == "perceptual"]


def _apply(rule: Rule, levels: Levels, model: str, net: str) -> Verdict:
    key = net if rule.figure == "perceptual" else rule.figure
    what = f"w={rule.w:g} {rule.level}: {rule.what}".replace("perceptual", f"perceptual ({net})")
    methods = levels.get(rule.level, {})
    value = methods.get(method_name(model, rule.w), {}).get(key)
    base = methods.get(rule.base, {}).get(key) if rule.base else 0.0
    if value is None or base is None:
        return Verdict(what, "", "not measured", None)
    bound = rule.factor * base + rule.offset
    text = f"{value:.3f}"
    if rule.factor != 1:
        text += f" ({100 * (value / base - 1):+.1f} %)"
    return Verdict(what, f"{rule.relation} {bound:.3f}", text, _RELATIONS[rule.relation](value, bound))


def gate_table(verdicts: Sequence[Verdict]) -> str:
    """Format the verdicts as a table: rule, required and measured value, pass or fail."""
    outcomes = {True: "pass", False: "FAIL", None: "?"}
    cells = [("", "wanted", "found", "")]
    cells += [(v.what, v.wanted, v.found, outcomes[v.passed]) for v in verdicts]
    widths = [max(len(row[i]) for row in cells) for i in range(4)]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
