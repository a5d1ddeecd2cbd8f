"""What a turn ends with: a question with answers to pick, what came by itself, and what could come next."""

from __future__ import annotations

import httpx
import pytest
from fake_nemo import CITY, MUSIC, cut, edit, say
from world import World

from agent.events import Event

TITLE = {"tt": 7, "m": {"name": "Title"}, "sg": [{"id": "t1", "s": 0, "d": 3000, "m": {"text": "Coffee"}}]}
BGM = {**MUSIC, "m": {"name": "BGM"}}


def texts(events: list[Event]) -> str:
    return "".join(event.text for event in events if event.kind == "text")


def asked(events: list[Event]) -> tuple[str, list[str]] | None:
    return next(((event.text, event.options) for event in events if event.kind == "ask"), None)


def hints(events: list[Event]) -> list[str]:
    return [step for event in events if event.kind == "hint" for step in event.suggestions]


@pytest.fixture
def film(world: World) -> World:
    world.nemo.draft = {"t": [CITY]}
    return world


def test_a_question_is_put_with_its_answers_and_said_once(film: World) -> None:
    film.nemo.scripts.append([say("The cut is in. Should I keep the old music or replace it?")])
    events = film.say("cut the first second")
    assert asked(events) == ("Should I keep the old music or replace it?", ["Keep the old music", "Replace it"])
    assert "The cut is in." in texts(events)
    assert "Should I" not in texts(events)
    assert events[-1].kind == "ask"


@pytest.mark.parametrize("answer", ["2", "the second one", "Replace it", "b"])
def test_the_answer_that_is_picked_is_sent_in_the_backends_words(film: World, answer: str) -> None:
    film.nemo.scripts.append([say("Should I keep the old music or replace it?")])
    film.say("cut the first second", answer)
    assert film.nemo.sends == ["cut the first second", "Replace it"]


def test_anything_else_goes_where_it_always_goes(film: World) -> None:
    film.nemo.scripts.append([say("Should I keep the old music or replace it?")])
    film.say("cut the first second", "how many credits do I have left?", "2 more seconds of the city please")
    assert film.nemo.sends == ["cut the first second", "2 more seconds of the city please"]


def test_a_question_that_something_follows_is_text(film: World) -> None:
    film.nemo.scripts.append([say("Do you like it or not? I do. The cut is in.")])
    events = film.say("cut the first second")
    assert asked(events) is None
    assert "Do you like it or not? I do. The cut is in." in texts(events)


def test_the_list_behind_a_question_holds_its_answers(film: World) -> None:
    film.nemo.scripts.append([say("Which style do you want?\n"), say("1. **Cinematic**: slow\n2. **Vlog**\n")])
    assert asked(film.say("restyle it")) == ("Which style do you want?", ["Cinematic", "Vlog"])


def test_a_question_cut_off_is_shown_and_not_asked(film: World) -> None:
    film.nemo.scripts.append([say("Should I keep the music or replace it?"), edit(BGM), cut])
    events = film.say("add music")
    assert asked(events) is None
    assert "Should I keep the music or replace it?" in texts(events)


def test_a_question_in_another_language_is_shown_as_it_is(film: World) -> None:
    film.nemo.scripts.append([say("要保留配乐还是去掉？")])
    assert asked(film.say("cut the first second")) == ("要保留配乐还是去掉？", ["保留配乐", "去掉"])


def test_what_came_by_itself_may_be_kept_without_a_send(world: World) -> None:
    world.nemo.scripts.append([say("Here you go."), edit(CITY, BGM, TITLE)])
    events = world.say("make a video about coffee")
    question = asked(events)
    assert question
    assert question[0] == 'The backend added by itself: BGM "Lo-fi", Title "Coffee". Keep, or take out?'
    assert question[1] == ["Keep", "Remove the music", "Remove the title", "Remove both"]
    world.nemo.draft = {"t": [CITY, BGM, TITLE]}
    assert "All right." in texts(world.say("keep it"))
    assert len(world.nemo.sends) == 1


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        ("2", "Remove the background music"),
        ("3", "Remove the title"),
        ("no", "Remove the background music and the title"),
    ],
)
def test_what_came_by_itself_may_be_taken_out(world: World, answer: str, sent: str) -> None:
    world.nemo.scripts.append([edit(CITY, BGM, TITLE)])
    world.say("make a video about coffee", answer)
    assert world.nemo.sends[1:] == [sent]


def test_a_number_that_no_answer_has_is_not_sent(film: World) -> None:
    film.nemo.scripts.append([say("Should I keep the old music or replace it?")])
    assert "There are 2 answers" in texts(film.say("cut the first second", "5"))
    film.say("2")
    assert film.nemo.sends == ["cut the first second", "Replace it"]


def test_words_in_another_language_come_after_our_own(film: World) -> None:
    film.nemo.scripts.append([say("配乐已经加好了。"), edit(BGM)])
    kinds = [event.text for event in film.say("add lo-fi music") if event.kind in ("text", "timeline")]
    assert kinds.index("配乐已经加好了。") > next(at for at, text in enumerate(kinds) if text.startswith("Timeline"))


def test_what_was_asked_for_did_not_come_by_itself(world: World) -> None:
    world.nemo.scripts.append([edit(CITY, BGM, TITLE)])
    assert asked(world.say('a coffee video with lo-fi music and the title "Coffee"')) is None


def test_music_added_later_is_asked_about_at_the_next_turn(film: World) -> None:
    film.say("status")
    film.nemo.draft = {"t": [CITY, BGM]}
    events = film.say("credits")
    assert "The timeline has changed since your last message:" in texts(events)
    question = asked(events)
    assert question
    assert question[1] == ["Keep", "Remove the music"]
    assert film.nemo.sends == []


def test_after_an_edit_two_or_three_steps_are_suggested(film: World) -> None:
    film.nemo.scripts.append([edit(BGM)])
    assert 2 <= len(hints(film.say("add lo-fi music"))) <= 3
    assert hints(film.say("status")) == []


def test_beside_an_unclear_wish_there_are_directions(film: World) -> None:
    film.nemo.scripts.append([say("I can do a lot.")])
    events = film.say("make it better")
    assert hints(events)
    assert "export" not in hints(events)
    assert any("“Better” can go many ways." in event.text for event in events if event.kind == "hint")


def test_a_button_nobody_knows_is_told_where_nothing_else_happened(film: World) -> None:
    film.nemo.scripts.append([say("Click Apply.")])
    told = texts(film.say("make the sky purple"))
    assert "“Click Apply.”" in told
    assert "Say in words what you want" in told


def test_a_reply_that_is_only_talk_of_a_screen_does_not_end_in_silence(film: World) -> None:
    film.nemo.scripts.append([say("If you want 4K, click Settings.")])
    assert "The backend finished without a word" in texts(film.say("make it 4K"))


def test_what_only_the_person_can_do_is_asked_of_them(film: World) -> None:
    film.nemo.scripts.append([say("Please upload your photos with the Upload button.")])
    told = texts(film.say("make a slideshow of them"))
    assert "Send me the file: type or drop its path here." in told
    assert "without a word" not in told


def test_where_the_backend_points_to_the_timeline_it_is_shown(film: World) -> None:
    film.nemo.scripts.append([say("It is already there. You can preview it in the timeline.")])
    events = film.say("add the city")
    assert [event.text for event in events if event.kind == "timeline"] == [
        "Timeline (1 track): 1. Video: city (0-10s)"
    ]


def test_words_without_a_deed_are_told_as_such(film: World) -> None:
    film.nemo.scripts.append([say("I've added a fade.")])
    assert "Nothing on the timeline changed." in texts(film.say("add a fade at the end"))


def test_small_talk_is_not_followed_by_a_report(film: World) -> None:
    film.nemo.scripts.append([say("You're welcome!")])
    assert "Nothing" not in texts(film.say("thanks a lot"))


@pytest.mark.parametrize(
    ("answer", "sent"), [("Yes, send it", True), ("yes, send it.", True), ("1", True), ("No", False), ("2", False)]
)
def test_what_our_own_answers_are_called_is_not_read_as_words(film: World, answer: str, sent: bool) -> None:
    film.nemo.answer("POST /run_sse", httpx.ConnectError("refused"), httpx.ConnectError("refused"))
    film.say("add lo-fi music")
    refused = len(film.nemo.sends)
    film.nemo.replies.clear()
    film.nemo.scripts.append([say("The music is in."), edit(BGM)])
    film.say(answer)
    assert film.nemo.sends[refused:] == (["add lo-fi music"] if sent else [])
    assert film.nemo.submits == []
