"""The commands of `python -m evals`: what is played, what is written, and which exit code that makes."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from evals import baseline, reports
from evals.format import load, schema
from evals.gates import Gate, broken, gates
from evals.interop import evalset, skeletons
from evals.metrics import Metrics, measure
from evals.playing import DIALOGUES, cores, find, play_all, play_one, quiet
from evals.show import transcript
from evals.trace import Trace

__all__ = ["COMMANDS", "SCHEMA", "evaluate"]

SCHEMA = Path(__file__).with_name("dialogue.schema.json")


def evaluate(arguments: Sequence[str]) -> int:
    """Plays, reports and judges."""
    given = _evaluating().parse_args(arguments)
    paths = find(given.paths)
    if given.live or given.studio:
        return _in_real_time(paths, given)
    began = time.perf_counter()
    traces = play_all(paths, given.seeds, given.jobs, _counter(len(paths)))
    elsewhere = {path.stem: str(path) for path in paths if DIALOGUES not in path.resolve().parents}
    for trace in traces:
        trace.path = elsewhere.get(trace.dialogue, "")
    metrics = measure(traces)
    metrics.real_s = time.perf_counter() - began  # a person waits once, however many processes play
    held = gates(metrics, whole=not given.paths)
    diff = baseline.compare(metrics, baseline.load(given.baseline)) if given.baseline else None
    sys.stdout.write(reports.terminal(metrics, traces, held, diff))
    _write(given, metrics, traces, held, diff)
    if given.save_baseline:
        baseline.save(metrics, given.save_baseline)
    if given.save_failed:
        _keep(traces, paths, given.save_failed)
    return int(bool(broken(held)) or bool(given.paths and any(trace.findings for trace in traces)))


def _evaluating() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m evals", description="Plays scripted dialogues and says which held.")
    parser.epilog = f"Beside it: python -m evals {' | '.join(COMMANDS)}; each has a --help."
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files, folders, groups or names; all without any")
    parser.add_argument("--seeds", type=int, metavar="N", help="runs of each dialogue (as many as its file says)")
    parser.add_argument("--jobs", type=int, default=cores(), metavar="N", help="processes (one for each core)")
    for form in ("html", "json", "junit", "markdown", "messages"):
        parser.add_argument(f"--{form}", type=Path, metavar="FILE", help=f"the report as {form}")
    parser.add_argument("--baseline", type=Path, metavar="FILE", help="an earlier run to compare with")
    parser.add_argument("--save-baseline", type=Path, metavar="FILE", help="keeps this run's figures")
    parser.add_argument("--save-failed", type=Path, metavar="DIR", help="writes each failed run as a dialogue")
    parser.add_argument(
        "--studio", action="store_true", help="plays those tagged `studio` on a real studio, in real time"
    )
    parser.add_argument("--live", metavar="URL", help="plays against a real server, in real time, scripts ignored")
    parser.add_argument("--spend", action="store_true", help="with --live: also the turns that may cost something")
    return parser


def _write(
    given: argparse.Namespace,
    metrics: Metrics,
    traces: Sequence[Trace],
    held: Sequence[Gate],
    diff: baseline.Diff | None,
) -> None:
    """The files that were asked for."""
    forms: dict[str, Callable[[], str]] = {
        "html": partial(reports.html, metrics, traces, held, diff),
        "json": partial(reports.as_json, metrics, traces, held),
        "junit": partial(reports.junit, metrics, traces, held),
        "markdown": partial(reports.markdown, metrics, traces, held, diff),
        "messages": partial(reports.messages, traces),
    }
    for form, text in forms.items():
        if path := getattr(given, form):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text(), encoding="utf-8")


def _keep(traces: Sequence[Trace], paths: Sequence[Path], folder: Path) -> None:
    """Every failed run as a file that plays it again."""
    source = {path.stem: path for path in paths}
    for trace in traces:
        if trace.findings:
            sys.stdout.write(f"{reports.save_failed(trace, source[trace.dialogue], folder)}\n")


def _counter(total: int) -> Callable[[Sequence[Trace]], None]:
    """Counts on a terminal; elsewhere it stays quiet."""
    done = failed = 0

    def count(traces: Sequence[Trace]) -> None:
        nonlocal done, failed
        done, failed = done + 1, failed + any(trace.findings for trace in traces)
        if sys.stderr.isatty():
            end = "\r\033[K" if done == total else ""
            sys.stderr.write(f"\r{done}/{total} dialogues, {failed} failed {end}")
            sys.stderr.flush()

    return count


# In real time


def _in_real_time(paths: Sequence[Path], given: argparse.Namespace) -> int:
    from evals.live import on_server, on_studio

    chosen = [load(path) for path in paths]
    if given.studio:
        chosen = [dialogue for dialogue in chosen if "studio" in dialogue.tags]
    quiet()
    out, failed = Console(highlight=False), 0
    with TemporaryDirectory(prefix="reelchat-live-", ignore_cleanup_errors=True) as name:
        for dialogue in chosen:
            if given.live:
                trace = on_server(dialogue, given.live, Path(name), spend=given.spend)
            else:
                trace = on_studio(dialogue, Path(name) / dialogue.dialogue)
            failed += bool(trace.findings)
            skipped = len(dialogue.turns) - len(trace.turns)
            note = f", {skipped} turns skipped" if skipped else ""
            out.print(f"{'failed' if trace.findings else 'held  '}  {dialogue.dialogue}  {trace.took:.1f} s{note}")
            for one in trace.findings:
                out.print(f"        turn {one.turn}: {one.check}: {one.problem}", markup=False, soft_wrap=True)
    return int(failed > 0)


# The others


def _show(arguments: Sequence[str]) -> int:
    """One run, told in full."""
    parser = argparse.ArgumentParser("python -m evals show", description="One run, with its wire and its clock.")
    parser.add_argument("dialogue", help="a name or a file")
    parser.add_argument("--seed", type=int, help="which run (the first of the file's)")
    given = parser.parse_args(arguments)
    quiet()
    out, failed = Console(highlight=False), False
    for path in find([given.dialogue]):
        dialogue = load(path)
        trace = play_one(dialogue, dialogue.played()[0] if given.seed is None else given.seed)
        for line in transcript(trace, dialogue.about):
            out.print(line, soft_wrap=not out.is_terminal)
        failed |= bool(trace.findings)
    return int(failed)


def _mutants(arguments: Sequence[str]) -> int:
    """The agent broken on purpose: exit code 1 when a way is not noticed."""
    parser = argparse.ArgumentParser(
        "python -m evals mutants", description="Breaks the agent; dialogues have to notice."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="mutants; all without any")
    parser.add_argument("--list", action="store_true", help="says what there is")
    parser.add_argument("--jobs", type=int, default=cores(), metavar="N", help="processes (one for each core)")
    parser.add_argument("--in", dest="paths", action="append", default=[], metavar="PATH", help="only these dialogues")
    given = parser.parse_args(arguments)
    from evals.mutants import MUTANTS
    from evals.mutants.hunt import hunt_all

    if unknown := [name for name in given.names if name not in MUTANTS]:
        parser.error(f"no mutant is called {', '.join(unknown)}; --list says what there is")
    if given.list:
        sys.stdout.writelines(f"{one.name:36} {one.room:24} {one.about}\n" for one in MUTANTS.values())
        return 0
    began = time.perf_counter()
    hunts = hunt_all(given.names or list(MUTANTS), find(given.paths), given.jobs, lambda one: print(one, flush=True))  # noqa: T201
    survived = [one.mutant for one in hunts if not one.noticed]
    took = time.perf_counter() - began
    sys.stdout.write(f"{len(hunts) - len(survived)} of {len(hunts)} mutants noticed in {took:.1f} s\n")
    return int(bool(survived))


def _evalset(arguments: Sequence[str]) -> int:
    """google-adk's evalset, out and in."""
    parser = argparse.ArgumentParser("python -m evals evalset", description="google-adk's evalset, out and in.")
    parser.add_argument("file", type=Path, help="the evalset: written, or read with --read")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="dialogues to play for it; all without any")
    parser.add_argument("--read", type=Path, metavar="DIR", help="writes its cases there as dialogues to fill in")
    parser.add_argument("--jobs", type=int, default=cores(), metavar="N", help="processes (one for each core)")
    given = parser.parse_args(arguments)
    if given.read is None:
        made = evalset(play_all(find(given.paths), 1, given.jobs), given.file.stem.split(".")[0])
        given.file.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return 0
    given.read.mkdir(parents=True, exist_ok=True)
    for name, text in skeletons(json.loads(given.file.read_text(encoding="utf-8"))).items():
        path = given.read / f"{name}.yaml"
        if path.exists():
            sys.stderr.write(f"{path} is there already: left as it is\n")
            continue
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


def _schema(arguments: Sequence[str]) -> int:
    """The JSON schema beside the dialogues, for editors."""
    parser = argparse.ArgumentParser("python -m evals schema", description=f"Writes {SCHEMA.name}.")
    parser.add_argument("--check", action="store_true", help="only says whether the file is up to date")
    given = parser.parse_args(arguments)
    text = json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"
    if given.check:
        return int(not SCHEMA.exists() or SCHEMA.read_text(encoding="utf-8") != text)
    SCHEMA.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{SCHEMA}\n")
    return 0


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "show": _show,
    "mutants": _mutants,
    "evalset": _evalset,
    "schema": _schema,
}
