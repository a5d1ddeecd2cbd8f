"""Many traces as a few figures: how well it routes, how often it passes, how it gets over bad days."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import comb
from typing import Literal

from agent.events import Ask, Delivered, Error
from evals.coverage import Coverage, cover
from evals.reading import bare, messages, outputs, sends, struck, visible
from evals.routing import wilson
from evals.spoken import facts
from evals.trace import Check, Trace, TurnTrace

__all__ = ["STEPS", "Group", "Metrics", "Outcome", "Routed", "Share", "measure", "outcome"]

Outcome = Literal["recovered", "explained", "lost"]
STEPS = "+"
"""Between the routes of a turn with several."""
STREAM_LOST = {"cut", "end", "hang", "garble", "refuse"}


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    hits: int = 0
    total: int = 0

    @property
    def value(self) -> float:
        """0 to 1; of nothing it is 1: nothing went wrong."""
        return self.hits / self.total if self.total else 1.0

    @property
    def rate(self) -> float:
        """The same where hits are what should not be: of nothing it is 0."""
        return self.hits / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval."""
        return wilson(self.hits, self.total)

    def __str__(self) -> str:
        return f"{self.hits}/{self.total}"


@dataclass(frozen=True, slots=True)
class Group:
    """One dialogue under all its seeds."""

    name: str
    tags: tuple[str, ...]
    seeds: dict[int, bool]
    """Whether it passed."""
    faulty: bool
    """Whether the backend had a bad day in it."""

    @property
    def passed(self) -> int:
        """How many seeds did."""
        return sum(self.seeds.values())

    def chance(self, k: int) -> float:
        """That `k` of its runs, drawn without putting back, all pass."""
        k = min(k, len(self.seeds))
        return comb(self.passed, k) / comb(len(self.seeds), k)


@dataclass(frozen=True, slots=True)
class Routed:
    """A turn, where it should have gone and where it went."""

    wanted: str
    got: str
    right: bool
    said: str
    lang: str
    source: str
    dialogue: str
    seed: int
    turn: int


@dataclass(slots=True)
class Metrics:
    """The figures of a run."""

    groups: list[Group] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    turns: int = 0
    virtual_s: float = 0.0
    real_s: float = 0.0
    routed: list[Routed] = field(default_factory=list)
    findings: Counter[Check] = field(default_factory=Counter)
    messages: int = 0
    """Visible ones."""
    strip: Share = Share()
    """Facts in the backend's words that nobody got to read, of all facts."""
    stripped: list[tuple[str, int, int, str]] = field(default_factory=list)
    """Which: dialogue, seed, turn, fact."""
    wrongful: Share = Share()
    """Turns that reached the chat though nothing chargeable was asked, of those that should not."""
    overcharged: float = 0.0
    """Credits beyond what the dialogues say."""
    longest_quiet: float = 0.0
    quietest: str = ""
    first_output: list[float] = field(default_factory=list)
    """Virtual seconds, sorted."""
    overhead_ms: list[float] = field(default_factory=list)
    """Real milliseconds a turn, sorted."""
    recovery: dict[str, Counter[Outcome]] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)

    @property
    def runs(self) -> int:
        """Dialogues times seeds."""
        return sum(len(group.seeds) for group in self.groups)

    @property
    def routing(self) -> Share:
        """Turns that took the steps asked for."""
        return Share(sum(row.right for row in self.routed), len(self.routed))

    def routing_by(self, what: Literal["lang", "source", "wanted"]) -> dict[str, Share]:
        """The same, apart."""
        found: dict[str, list[bool]] = defaultdict(list)
        for row in self.routed:
            found[getattr(row, what)].append(row.right)
        return {name: Share(sum(found[name]), len(found[name])) for name in sorted(found)}

    def confusion(self) -> dict[str, Counter[str]]:
        """What was wanted -> what was done -> how often."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for row in self.routed:
            found[row.wanted][row.got] += 1
        return dict(found)

    @property
    def macro_f1(self) -> float:
        """The mean of every route's F1 over the turns that want or take it: the rare count as much as the common."""
        pairs = [(set(row.wanted.split(STEPS)), set(row.got.split(STEPS))) for row in self.routed]
        wanted = Counter(name for pair in pairs for name in pair[0])
        got = Counter(name for pair in pairs for name in pair[1])
        right = Counter(name for pair in pairs for name in pair[0] & pair[1])
        scores = [2 * right[name] / (wanted[name] + got[name]) for name in wanted]
        return sum(scores) / len(scores) if scores else 1.0

    def passing(self, k: int, *, faulty: bool | None = None) -> float:
        """pass^k over the dialogues; `faulty` takes only those with, or without, a bad day."""
        chances = [group.chance(k) for group in self.groups if faulty in (None, group.faulty)]
        return sum(chances) / len(chances) if chances else 1.0

    @property
    def steady(self) -> Share:
        """Dialogues that passed under every seed."""
        return Share(sum(group.passed == len(group.seeds) for group in self.groups), len(self.groups))

    @property
    def recovered(self) -> Share:
        """Bad days that were got over or explained."""
        total = sum(sum(each.values()) for each in self.recovery.values())
        return Share(total - sum(each["lost"] for each in self.recovery.values()), total)


def measure(traces: Sequence[Trace]) -> Metrics:
    """The figures of `traces`, in any order."""
    found = Metrics(groups=_groups(traces), seeds=sorted({trace.seed for trace in traces}))
    for trace in traces:
        found.virtual_s += trace.lasted
        found.real_s += trace.took
        found.findings.update(finding.check for finding in trace.findings)
        wanted = trace.wanted_ledger.get("charged")
        found.overcharged += max(0.0, trace.ledger.charged - wanted) if wanted is not None else 0.0
        for turn in trace.turns:
            _add(turn, trace, found)
    found.first_output.sort()
    found.overhead_ms.sort()
    found.coverage = cover(traces)
    return found


def _groups(traces: Iterable[Trace]) -> list[Group]:
    by_name: dict[str, list[Trace]] = defaultdict(list)
    for trace in traces:
        by_name[trace.dialogue].append(trace)
    return [
        Group(
            name,
            runs[0].tags,
            {trace.seed: not trace.findings for trace in sorted(runs, key=lambda each: each.seed)},
            "faults" in runs[0].tags or any(struck(turn) for trace in runs for turn in trace.turns),
        )
        for name, runs in sorted(by_name.items())
    ]


def _add(turn: TurnTrace, trace: Trace, found: Metrics) -> None:
    found.turns += 1
    found.messages += len(messages(turn))
    found.overhead_ms.append(turn.overhead * 1000)
    seen = [at for at in outputs(turn) if at >= turn.begun]
    if seen:
        found.first_output.append(seen[0] - turn.begun)
    moments = [turn.begun, *seen, turn.ended]
    quiet = max((then - at for at, then in zip(moments, moments[1:], strict=False)), default=0.0)
    if quiet > found.longest_quiet:
        found.longest_quiet, found.quietest = quiet, f"{trace.dialogue} seed {trace.seed} turn {turn.number}"
    if turn.wanted and (turn.routes or "kill" not in turn.acts):
        found.routed.append(_routed(turn, trace))
    if turn.wanted and all("sse" not in steps for steps in turn.wanted):
        found.wrongful = Share(found.wrongful.hits + bool(sends(turn)), found.wrongful.total + 1)
    _strip(turn, trace, found)
    for name in struck(turn):
        found.recovery.setdefault(name, Counter())[outcome(turn, trace)] += 1


def _routed(turn: TurnTrace, trace: Trace) -> Routed:
    right = turn.routes in turn.wanted
    wanted = turn.routes if right else turn.wanted[0]
    source = turn.sources[0] if turn.sources else "?"
    names = (STEPS.join(wanted) or "none", STEPS.join(turn.routes) or "none")
    return Routed(*names, right, turn.said, turn.lang, source, trace.dialogue, trace.seed, turn.number)


def _strip(turn: TurnTrace, trace: Trace, found: Metrics) -> None:
    """What the backend said that is no talk of a screen has to be read somewhere."""
    read = bare(visible(turn))
    told = facts(turn.heard)
    asked = (message.event for message in messages(turn))
    options = [bare(option) for event in asked if isinstance(event, Ask) for option in event.options]
    # What explains an answer to pick is not shown beside it.
    gone = [
        fact for fact in told if bare(fact) not in read and not any(map(bare(fact).startswith, filter(None, options)))
    ]
    found.strip = Share(found.strip.hits + len(gone), found.strip.total + len(told))
    found.stripped += [(trace.dialogue, trace.seed, turn.number, fact) for fact in gone]


def outcome(turn: TurnTrace, trace: Trace) -> Outcome:
    """How a turn with a bad day ended for the person: what they asked for, an explanation, or neither."""
    if any(finding.turn == turn.number for finding in trace.findings):
        return "lost"
    told = [shown.event for shown in turn.shown]
    if any(isinstance(event, Error | Ask) for event in told):
        return "explained"
    unsettled = STREAM_LOST & set(struck(turn)) and "sse" in turn.routes and turn.before == turn.draft
    return "explained" if unsettled and not any(isinstance(event, Delivered) for event in told) else "recovered"
