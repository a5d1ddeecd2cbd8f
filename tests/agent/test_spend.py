"""What a turn cost, and the limit that nothing goes over: counted at the backend, read by the person."""

from __future__ import annotations

import dataclasses
from typing import Any

import httpx
import pytest
from fake_nemo import CITY, MUSIC, FakeNemo, code, cut, edit, ok, say
from world import World

from agent.events import Ask, Error, Event
from agent.settings import Settings
from agent.turn import Agent, turn
from evals.screen import shown


def charge(credits: float, frozen: float = 0) -> Any:
    def act(nemo: FakeNemo) -> None:
        nemo.credits = {**nemo.credits, "available": nemo.credits["available"] - credits, "frozen": frozen}

    return act


def limited(world: World, monkeypatch: pytest.MonkeyPatch, **choices: Any) -> World:
    made = dataclasses.replace(world.settings(), **choices)
    monkeypatch.setattr(world, "settings", lambda: made)
    return world


def refused(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Error) and event.code == "spend_refused"]


# What it cost


def test_what_a_turn_cost_is_told_after_it(world: World) -> None:
    world.nemo.scripts.append([say("Done."), edit(CITY), charge(7)])
    assert "Credits: 7 used, 83 left." in shown(world.say("make a film of a city"))


def test_the_cost_is_told_in_chinese(world: World) -> None:
    world.nemo.scripts.append([say("好了。"), edit(CITY), charge(7)])
    assert "积分：用了 7，剩 83。" in shown(world.say("做一个城市的视频"))


def readings(world: World, pause: float) -> int:
    """How often the balance was asked for in two sends, one `pause` seconds after the other."""
    world.nemo.scripts += [[say("Done."), edit(CITY), charge(7)], [say("Done."), edit(MUSIC), charge(2)]]

    async def story(agent: Agent) -> list[Event]:
        assert [event async for event in turn(agent, "t", "make a film of a city")]
        await world.clock.sleep(pause)
        return [event async for event in turn(agent, "t", "add calm music")]

    assert "Credits: 2 used, 81 left." in shown(world.run(story))
    return sum(request.url.path.endswith("/balance/simple") for request in world.nemo.requests)


def test_the_balance_of_a_moment_ago_is_not_asked_for_again(world: World) -> None:
    assert readings(world, 0.2) == 3


def test_the_balance_of_a_while_ago_is_asked_for_again(world: World) -> None:
    assert readings(world, 0.3) == 4


def test_a_limit_is_held_against_the_balance_as_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert readings(limited(world, monkeypatch, max_spend=200.0), 0.2) == 4


def test_a_turn_that_cost_nothing_says_nothing_about_credits(world: World) -> None:
    world.nemo.scripts.append([say("Done."), edit(CITY)])
    assert "redits" not in shown(world.say("make a film of a city"))


def test_what_is_still_reserved_is_told_beside_the_cost(world: World) -> None:
    world.nemo.scripts.append([say("Done."), edit(CITY), charge(7, frozen=5)])
    assert "Credits: 7 used, 83 left, 5 reserved for work in progress." in shown(world.say("make a film of a city"))


def test_reserved_only_is_not_called_free(world: World) -> None:
    world.nemo.scripts.append([say("Done."), edit(CITY), charge(0, frozen=5)])
    assert "nothing used so far, 90 left, 5 reserved" in shown(world.say("make a film of a city"))


@pytest.mark.parametrize("answer", [ok({}), ok({"total": 100}), httpx.Response(404, json={"detail": "Not Found"})])
def test_an_unknown_cost_is_never_zero(world: World, answer: httpx.Response) -> None:
    world.nemo.scripts.append([say("Done."), edit(CITY)])
    world.nemo.answer("GET /api/credits", answer)
    said = shown(world.say("make a film of a city"))
    assert "what this cost is unknown" in said
    assert "0 used" not in said and "Credits: 0" not in said


def test_more_credits_than_before_are_no_negative_cost(world: World) -> None:
    world.nemo.scripts.append([say("Done."), edit(CITY), charge(-50)])
    assert "there are more than before (140 now)" in shown(world.say("make a film of a city"))


def test_a_lost_send_tells_the_credits_once(world: World) -> None:
    world.nemo.scripts.append([charge(7), cut])
    said = shown(world.say("make a film of a city"))
    assert "before: 90, now: 83" in said and "Credits:" not in said


def test_a_refused_send_costs_nothing_and_says_nothing(world: World) -> None:
    world.nemo.answer("POST /run_sse", code(2001))
    assert "Credits:" not in shown(world.say("make a film of a city"))


# The limit


def test_a_send_that_would_probably_go_over_is_refused_before_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    events = limited(world, monkeypatch, max_spend=50.0).say("make a film of a city")
    assert world.nemo.sends == []
    assert refused(events) == [
        "Nothing was sent: this may cost about 90 credits, and of your limit of 50 a run 0 are spent."
        " Raise --max-spend (or REELCHAT_MAX_SPEND) to go on."
    ]


def test_a_refusal_takes_the_export_along_and_shows_no_changes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.nemo.draft = {"t": [CITY]}
    events = limited(world, monkeypatch, max_spend=10.0).say("add lo-fi at 35% and then export it")
    assert len(refused(events)) == 1
    assert "Left undone because of this: the export." in shown(events)
    assert "Added" not in shown(events) and world.nemo.submits == []


def test_a_limit_that_suffices_lets_everything_through(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.nemo.scripts.extend([[say("Done."), edit(CITY), charge(7)], [say("Done."), edit(MUSIC), charge(3)]])
    limited(world, monkeypatch, max_spend=100.0).say("make a film of a city", "add lo-fi at 35%", "export as mp4")
    assert len(world.nemo.sends) == 2 and len(world.nemo.submits) == 1


def test_no_more_than_there_is_can_be_spent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.nemo.credits = {"available": 20, "frozen": 0, "total": 100}
    assert refused(limited(world, monkeypatch, max_spend=25.0).say("make a film of a city")) == []
    assert len(world.nemo.sends) == 1


def test_a_limit_that_is_used_up_refuses_the_next_send(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.nemo.credits = {"available": 400, "frozen": 0, "total": 400}
    world.nemo.scripts.append([say("Done."), edit(CITY), charge(60)])
    events = limited(world, monkeypatch, max_spend=100.0).say("make a film of a city", "add lo-fi at 35%")
    assert len(world.nemo.sends) == 1
    assert "this may cost about 60 credits, and of your limit of 100 a run 60 are spent" in refused(events)[0]


def test_what_a_lost_turn_took_counts_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.nemo.credits = {"available": 400, "frozen": 0, "total": 400}
    world.nemo.scripts.append([charge(60), cut])
    events = limited(world, monkeypatch, max_spend=100.0).say("make a film of a city", "add lo-fi at 35%")
    assert "of your limit of 100 a run 60 are spent" in refused(events)[0]


def test_an_unreadable_balance_refuses_with_an_explanation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.nemo.answer("GET /api/credits", ok({"total": 100}))
    events = limited(world, monkeypatch, max_spend=100.0).say("make a film of a city")
    assert world.nemo.sends == []
    assert "the backend does not say how many credits there are, so your limit of 100" in refused(events)[0]


def test_a_free_export_passes_the_strictest_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.nemo.draft = {"t": [CITY]}
    assert refused(limited(world, monkeypatch, max_spend=0.0).say("export as mp4")) == []
    assert len(world.nemo.submits) == 1


def test_a_render_that_was_not_free_is_told_and_held_against_the_limit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.nemo.draft = {"t": [CITY]}
    usual = world.nemo._render

    def dear(request: httpx.Request, path: str) -> httpx.Response:
        if request.method == "POST":
            charge(8)(world.nemo)
        return usual(request, path)

    monkeypatch.setattr(world.nemo, "_render", dear)
    limited(world, monkeypatch, max_spend=10.0)
    assert "Credits: 8 used, 82 left." in shown(world.say("export as mp4"))
    events = world.say("export as mp4", "export as gif")
    assert "this may cost about 8 credits, and of your limit of 10 a run 8 are spent" in refused(events)[0]
    assert len(world.nemo.submits) == 2


def test_the_studio_counts_by_its_own_small_prices(settings: Settings) -> None:
    from agent.spend import _usual

    assert _usual("sse", None, "studio") == 5
    assert (_usual("sse", {"t": []}, "nemo"), _usual("sse", {"t": [CITY]}, "nemo")) == (100, 50)
    assert _usual("export", {"t": [CITY]}, "nemo") == 0


# Asking first


def test_without_anybody_to_ask_asking_is_refusing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    events = limited(world, monkeypatch, ask_before_spending=True).say("make a film of a city")
    assert world.nemo.sends == []
    assert "without a terminal there is nobody to ask" in refused(events)[0]


def test_a_yes_sends_what_was_asked_about_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.nemo.scripts.append([say("Done."), edit(CITY)])
    limited(world, monkeypatch, ask_before_spending=True, somebody_answers=True)
    seen: list[list[Event]] = []

    async def scenario(agent: Agent) -> None:
        for text in ("make a film of a city", "yes", "add lo-fi at 35%"):
            seen.append([event async for event in turn(agent, "t", text)])

    world.run(scenario)
    (question,) = [event for event in seen[0] if isinstance(event, Ask)]
    assert question.text == "This may cost about 90 credits (90 left). Go on?"
    assert world.nemo.sends == ["make a film of a city"]
    assert [event for event in seen[2] if isinstance(event, Ask)], "the next send is asked about again"


def test_a_no_sends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(world, monkeypatch, ask_before_spending=True, somebody_answers=True)
    events = world.say("make a film of a city", "no")
    assert world.nemo.sends == [] and "All right." in shown(events)


def test_reads_and_exports_are_not_asked_about(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.nemo.draft = {"t": [CITY]}
    limited(world, monkeypatch, ask_before_spending=True, somebody_answers=True)
    events = world.say("status", "credits", "export as mp4")
    assert not [event for event in events if isinstance(event, Ask | Error)]
