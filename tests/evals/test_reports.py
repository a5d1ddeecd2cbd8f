"""Every report says the same about a run, and none of them trusts what it shows."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

from made import call, run_of, trace, turn

from agent.events import Ask, Delivered
from evals.baseline import Diff
from evals.gates import gates
from evals.metrics import measure
from evals.reports import as_json, errors, html, junit, markdown, messages, show, terminal
from evals.trace import Finding, Trace

NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \u2028 ]]> \ud800"


def runs() -> list[Trace]:
    cut = run_of("cut_after_charge", 1, fails=True, tags=("sse", "cut"), turn={"acts": ["say", "charge", "cut"]})
    return [run_of("cut_after_charge", 0, tags=("sse", "cut")), cut, run_of("plain_edit", 0), run_of("plain_edit", 1)]


def nasty() -> list[Trace]:
    made = turn(NASTY, NASTY, wanted=[["sse"]], exchanges=[call("POST /run_sse", text=NASTY)])
    return [trace(made, dialogue="nasty", findings=[Finding("reply", 1, NASTY)])]


def test_the_terminal_report_is_compact_and_ends_with_what_failed() -> None:
    made = runs()
    metrics = measure(made)
    told = terminal(metrics, made, gates(metrics, whole=False), Diff(regressed=["plain_edit 2/2 -> 1/2"])).splitlines()
    assert told[0].startswith("2 dialogues, 4 runs, 4 turns") and told[0].endswith("seeds 0-1")
    assert told[1].startswith("pass^1 0.750   pass^2 0.500 (1/2)   routing 4/4 1.000 [0.510, 1.000]")
    assert "  cut           1     -     -     1   sse          4" in told
    assert "  plain_edit 2/2 -> 1/2  REGRESSED" in told
    at = told.index("FAILED cut_after_charge seed 1 turn 1: wire: unexpected POST /run_sse at 150.0s")
    assert told[at + 1].strip() == "python -m evals show cut_after_charge --seed 1"
    assert told[at + 2].startswith("GATE pass^2 0.5, at least 1")
    assert max(map(len, told)) <= 160


def test_a_run_is_shown_with_its_wire_and_virtual_times() -> None:
    told = show(runs()[1])
    assert re.search(r"POST /run_sse -> 200\s+\+0\.1s \|", told)
    assert re.search(r"\+1\.0s \| There it is\.", told)
    assert "  !! wire: unexpected POST /run_sse at 150.0s" in told


def test_json_holds_every_run_and_its_findings() -> None:
    made = runs()
    told = json.loads(as_json(measure(made), made, gates(measure(made))))
    assert told["dialogues"] == {"cut_after_charge": [1, 2], "plain_edit": [2, 2]}
    assert [run["passed"] for run in told["plays"]] == [True, False, True, True]
    assert told["recovery"] == {"cut": {"lost": 1}}
    assert json.loads(errors(made))[0]["said"] == "add lo-fi music"


def test_messages_are_what_a_chat_model_would_have_said() -> None:
    lines = [json.loads(line) for line in messages(runs()).splitlines()]
    user, calls, result, answer = lines[0]["messages"]
    assert (user["role"], answer["role"]) == ("user", "assistant")
    assert calls["tool_calls"][0]["function"]["name"] == "POST /run_sse"
    assert json.loads(calls["tool_calls"][0]["function"]["arguments"])["new_message"]
    assert result["tool_call_id"] == calls["tool_calls"][0]["id"]
    assert "There it is." in answer["content"]


def test_junit_has_a_case_a_dialogue_and_a_case_a_gate() -> None:
    made = runs()
    held = gates(measure(made), whole=False)
    suite = ElementTree.fromstring(junit(measure(made), made, held))[0]
    names = [case.get("name") for case in suite.iter("testcase")]
    assert names[:2] == ["cut_after_charge", "plain_edit"] and len(names) == 2 + len(held)
    failures = [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None]
    assert "cut_after_charge" in failures and suite.get("failures") == str(len(failures))
    assert {each.get("name") for each in suite.iter("property")} >= {"pass_k", "routing"}


def test_markdown_is_a_page_of_tables() -> None:
    made = runs()
    told = markdown(measure(made), made, gates(measure(made), whole=False))
    assert told.startswith("## ❌ Dialogues: 1/2 pass under every seed")
    assert "| cut | 1 | – | – | 1 |" in told
    assert "- `cut_after_charge` seed 1 turn 1: **wire** unexpected POST /run\\_sse at 150.0s" in told


def test_nothing_that_is_shown_becomes_markup() -> None:
    made = nasty()
    metrics = measure(made)
    page = html(metrics, made)
    assert "alert(1)</script>" not in page and "<img src=x" not in page
    assert page.count("</script>") == 2
    assert "<img" not in markdown(metrics, made)
    ElementTree.fromstring(junit(metrics, made))
    page.encode("utf-8")


def test_the_page_holds_its_data_and_asks_nobody_for_more() -> None:
    made = runs()
    delivered = Delivered(text="✅ Ready: /x/a.mp4", path="/x/a.mp4", format="mp4", size=64)
    made.append(trace(turn("export", delivered, Ask(text="More?", options=["Yes", "No"])), dialogue="exports"))
    page = html(measure(made), made, gates(measure(made)), Diff(added=["exports"]))
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found
    data = json.loads(found[1])
    assert [one["name"] for one in data["dialogues"]] == ["cut_after_charge", "exports", "plain_edit"]
    assert data["confusion"]["cells"]["sse>sse"][0][:3] == ["add lo-fi music", "rule", 4]
    assert data["recovery"][0]["cases"] == [["lost", "cut_after_charge", 1, 1, "add lo-fi music"]]
    lane = data["dialogues"][1]["runs"][0]["turns"][0]["lane"]
    assert lane[0]["file"] == "mp4 · 64 bytes" and lane[1]["options"] == ["Yes", "No"]
    rest = page.replace(found[1], "")
    assert not re.search(r"https?://|url\(|@import|<link|src=", rest)
    assert "default-src 'none'" in rest


def test_reports_of_no_run_are_reports() -> None:
    metrics = measure([])
    assert terminal(metrics, []).startswith("0 dialogues, 0 runs")
    assert html(metrics, []) and junit(metrics, []) and markdown(metrics, []) and as_json(metrics, [])
    assert messages([]) == ""
