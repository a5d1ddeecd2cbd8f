"""A run for machines that read JUnit: a test case a dialogue, the figures as properties."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from evals.baseline import kept
from evals.gates import Gate
from evals.metrics import Metrics
from evals.trace import Trace

__all__ = ["junit"]

_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold."""


def junit(metrics: Metrics, traces: Sequence[Trace], gates: Sequence[Gate] = ()) -> str:
    """The file's text."""
    failed = sum(group.passed < len(group.seeds) for group in metrics.groups)
    wrong = [gate for gate in gates if not gate.held]
    root = ElementTree.Element("testsuites")
    counts = {"tests": str(len(metrics.groups) + len(gates)), "failures": str(failed + len(wrong)), "errors": "0"}
    suite = ElementTree.SubElement(root, "testsuite", {"name": "dialogues", "time": f"{metrics.real_s:.3f}", **counts})
    listed = ElementTree.SubElement(suite, "properties")
    for name, figure in kept(metrics)["figures"].items():
        ElementTree.SubElement(listed, "property", name=name, value=f"{figure:g}")
    for group in metrics.groups:
        runs = [trace for trace in traces if trace.dialogue == group.name]
        case = ElementTree.SubElement(
            suite, "testcase", classname="dialogues", name=group.name, time=f"{sum(run.took for run in runs):.3f}"
        )
        if told := [_finding(run) for run in runs if run.findings]:
            message = f"{group.passed}/{len(group.seeds)} seeds pass"
            ElementTree.SubElement(case, "failure", message=message).text = _UNFIT.sub("�", "\n".join(told))
    for gate in gates:
        case = ElementTree.SubElement(suite, "testcase", classname="gates", name=gate.name)
        if not gate.held:
            ElementTree.SubElement(case, "failure", message=str(gate))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _finding(run: Trace) -> str:
    lines = (f"  turn {each.turn}: {each.check}: {each.problem}" for each in run.findings)
    return "\n".join([f"seed {run.seed}: python -m evals show {run.dialogue} --seed {run.seed}", *lines])
