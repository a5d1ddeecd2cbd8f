"""The page in a real browser, against a small host that speaks the native door."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from page_host import DROP, PNG, Chat, Host, Switch, progress, refused, serving, words

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no browser to drive")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if CHROMIUM is None:
    pytest.skip("no Chromium is installed", allow_module_level=True)

ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FILE = "file_" + "a" * 32
DRAFT = {
    "m": {"title": "Night", "width": 1920, "height": 1080, "fps": 30},
    "t": [{"tt": 0, "m": {"name": "Video"}, "sg": [{"id": "sg_1", "s": 0, "d": 6000, "m": {"name": "city"}}]}],
}
TIMELINE = {"kind": "timeline", "text": "Timeline (1 track): city (0-6s)", "draft": DRAFT, "changed": []}
ASK = {"kind": "ask", "text": "Shall I export the video now?", "options": ["Yes, export", "No"]}
Visit = Callable[..., tuple[Chat, Host]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Switch, str]]:
    switch = Switch()
    with serving(switch) as url:
        yield switch, url


@pytest.fixture
def visit(browser: Any, server: tuple[Switch, str]) -> Iterator[Visit]:
    """Opens the page of a host of its own; fails on script errors and on breaches of the policy."""
    chats: list[Chat] = []

    def begin(host: Host | None = None, path: str = "/", wait: bool = True, **context: Any) -> tuple[Chat, Host]:
        host = host or Host()
        server[0].put(host)
        tab = browser.new_context(**{"locale": "en-US", **context}).new_page()
        tab.set_default_timeout(8000)
        chats.append(Chat(tab, server[1]))
        chats[-1].page.goto(chats[-1].url + path)
        return (chats[-1].ready() if wait else chats[-1]), host

    yield begin
    for chat in chats:
        chat.page.context.close()
    assert [chat.problems for chat in chats] == [[] for _ in chats]


def drawn_width(chat: Chat) -> int:
    """Pixels of the lanes' picture, once it is drawn."""
    image = chat.page.locator(".lanes img")
    image.wait_for()
    width: int = image.evaluate("image => image.decode().then(() => image.naturalWidth)")
    return width


def test_a_turn_is_streamed_and_the_empty_page_says_what_to_do(visit: Visit) -> None:
    chat, host = visit()
    gate = threading.Event()
    host.draft = DRAFT
    host.scripts["a city"] = [
        progress("Sending…"), words("a", "A city "), words("a", "at night.\n- six seconds\n- no sound"),
        words("b", "Clik export"), words("b", "Say export.", "replace"), TIMELINE, progress("Rendering…", 0.4), gate,
        {"kind": "hint", "text": "Next", "suggestions": ["add music"]},
    ]  # fmt: skip
    chat.sees("Describe the picture you have in mind")
    chat.button("generate a realistic image of a futuristic city at night").click()
    assert chat.field.input_value() == "generate a realistic image of a futuristic city at night"
    chat.say("a city")
    bar = chat.page.get_by_role("progressbar", name="Rendering…")
    bar.wait_for()
    assert bar.get_attribute("value") == "0.4"
    assert chat.page.get_by_text("Sending…").count() == 0
    chat.sees("A city at night.")
    assert chat.log.get_by_role("listitem").all_inner_texts() == ["six seconds", "no sound"]
    assert chat.page.get_by_text("Clik").count() == 0
    host.available = 90.5
    gate.set()
    chat.idle()
    chat.sees("90.5 credits")
    assert bar.count() == 0
    assert drawn_width(chat) == 960
    chat.button("add music").click()
    chat.sees("All right.")
    assert [post["text"] for post in host.posts] == ["a city", "add music"]
    assert re.fullmatch(r"c-[0-9a-f]{32}", host.posts[0]["thread"]) and re.fullmatch(
        "[0-9a-f]{32}", host.posts[0]["turn"]
    )
    assert "lang" not in host.posts[0] and host.posts[0]["skill"] == "generator-image"
    spoken = chat.page.locator("#said p").all_text_contents()
    assert spoken[:3] == [
        "A city at night.\n- six seconds\n- no sound",
        "Say export.",
        "Timeline (1 track): city (0-6s)",
    ]


def test_a_dropped_stream_goes_on_where_it_broke_off_and_nothing_is_posted_twice(visit: Visit) -> None:
    chat, host = visit()
    gate = threading.Event()
    host.scripts["go"] = [words("a", "One, "), words("a", "two, "), gate, DROP, words("a", "three.")]
    chat.say("go")
    chat.sees("One, two,")
    gate.set()
    chat.sees("One, two, three.")
    chat.idle()
    assert len(host.posts) == 1 and host.looks == ["1"]


def test_a_reload_in_mid_turn_shows_the_outcome(visit: Visit) -> None:
    chat, host = visit()
    gate = threading.Event()
    host.scripts["go"] = [words("a", "Begun. "), gate, words("a", "Finished.")]
    chat.say("go")
    chat.sees("Begun.")
    chat.page.reload()
    chat.sees("Begun.")
    chat.button("Stop waiting").wait_for()
    gate.set()
    chat.sees("Begun. Finished.")
    chat.idle()
    assert len(host.posts) == 1
    assert chat.page.get_by_label("Persona").input_value() == "photo-generator"


@pytest.mark.parametrize("arrived", [True, False])
def test_a_post_without_an_answer_is_looked_for_before_it_is_sent_again(visit: Visit, arrived: bool) -> None:
    chat, host = visit()
    failed: list[str] = []

    def fail_once(route: Any) -> None:
        if failed:
            return route.continue_()  # type: ignore[no-any-return]
        failed.append(route.request.url)
        if arrived:
            route.fetch()
        route.abort("connectionreset")

    chat.page.route("**/v1/turns", fail_once)
    chat.say("go")
    chat.sees("All right.")
    chat.idle()
    assert len({post["turn"] for post in host.posts}) == 1
    assert (len(host.posts), len(host.looks)) == (1, 1)


def test_a_refused_message_goes_back_into_the_field_with_the_hosts_words(visit: Visit) -> None:
    chat, host = visit()
    host.refusal = refused(409, "conversation_busy", "This conversation is busy in another window.")
    chat.say("go")
    chat.page.get_by_role("alert").filter(has_text="busy in another window").wait_for()
    assert chat.field.input_value() == "go"
    host.refusal = None
    chat.field.press("Enter")
    chat.sees("All right.")
    assert chat.page.get_by_role("alert").count() == 0


def test_an_answer_is_a_click_and_is_gone_after_it(visit: Visit) -> None:
    chat, host = visit()
    host.scripts["maybe"] = [ASK]
    host.scripts["Yes, export"] = [{"kind": "error", "code": "x", "text": "The render failed.\nSay export again."}]
    chat.say("maybe")
    chat.button("Yes, export").click()
    chat.sees("The render failed.")
    chat.sees("That did not work")
    assert chat.button("No").count() == 0
    assert [post["text"] for post in host.posts] == ["maybe", "Yes, export"]


def test_a_delivered_file_plays_and_downloads_and_a_foreign_one_is_only_a_link(visit: Visit) -> None:
    chat, host = visit()
    own = {"kind": "delivered", "text": "Ready", "path": f"{FILE}/night.png", "format": "png", "size": 70,
           "url": f"/files/{FILE}/night.png?expires=1&signature=s", "duration_ms": None}  # fmt: skip
    foreign = {**own, "path": "far.mp4", "format": "mp4", "url": "https://cdn.example/far.mp4"}
    bad = {**own, "path": "bad.mp4", "format": "mp4", "url": "javascript:alert(1)"}
    host.scripts["export"] = [own, foreign, bad]
    chat.say("export")
    chat.idle()
    chat.page.get_by_role("img", name="night.png").wait_for()
    chat.sees("PNG · 1 KB")
    links = chat.page.get_by_role("link", name="Download")
    assert [link.get_attribute("download") for link in links.all()] == ["night.png", None]
    assert chat.page.locator("video").count() == 0


def test_files_are_checked_before_they_travel_and_go_with_the_turn(visit: Visit) -> None:
    chat, host = visit()
    chat.attach(
        ("beach.png", "image/png", PNG), ("notes.txt", "text/plain", b"x"), ("refuse.png", "image/png", PNG),
        ("long.mp4", "video/mp4", b"0" * 1_000_001), ("none.mp3", "audio/mpeg", b""),
    )  # fmt: skip
    for words_ in ("By its content this is no picture.", "This type is not accepted", "Too large: 1 MB", "is empty"):
        chat.sees(words_)
    chat.page.locator("#tray li.ready").wait_for()
    assert [one["filename"] for one in host.files.values()] == ["beach.png"]
    chat.field.press("Enter")
    chat.sees("All right.")
    assert host.posts[0]["files"] == list(host.files) and host.posts[0]["text"] == ""
    assert chat.log.get_by_text("beach.png").count() == 1
    assert chat.page.locator("#tray li").count() == 0


def test_files_can_be_dropped_and_pasted_and_an_upload_can_be_cancelled(visit: Visit) -> None:
    chat, host = visit()
    give = """([kind, name]) => {
        const data = new DataTransfer();
        data.items.add(new File(["abc"], name, {type: "image/png"}));
        const how = {clipboardData: data, dataTransfer: data, bubbles: true, cancelable: true};
        const event = kind === "paste" ? new ClipboardEvent(kind, how) : new DragEvent(kind, how);
        document.querySelector("#say").dispatchEvent(event);
    }"""
    chat.page.evaluate(give, ["dragover", "a.png"])
    chat.sees("Drop the files to add them")
    chat.page.evaluate(give, ["drop", "dropped.png"])
    chat.page.evaluate(give, ["paste", "pasted.png"])
    chat.page.locator("#tray li.ready").nth(1).wait_for()
    assert sorted(one["filename"] for one in host.files.values()) == ["dropped.png", "pasted.png"]
    held: list[Any] = []
    chat.page.route("**/v1/files", lambda route: held.append(route))
    chat.page.evaluate(give, ["drop", "slow.png"])
    chat.page.get_by_role("progressbar", name="Uploading slow.png").wait_for()
    chat.button("Remove slow.png").click()
    assert chat.page.locator("#tray li").count() == 2
    assert len(host.files) == 2


def test_a_key_is_asked_for_kept_for_the_session_and_asked_for_again_after_a_401(visit: Visit) -> None:
    host = Host(key="sk-right")
    chat, _ = visit(host, wait=False)
    form = chat.page.get_by_role("dialog", name="Enter your API key")
    form.get_by_label("API key").fill("sk-wrong")
    form.get_by_role("button", name="Continue").click()
    chat.sees("The server does not know this key.")
    form.get_by_label("API key").fill("sk-right")
    form.get_by_role("button", name="Continue").click()
    chat.ready()
    assert chat.page.evaluate("[sessionStorage['reelchat.key'], localStorage['reelchat.key'] ?? null]") == [
        "sk-right",
        None,
    ]
    host.key = "sk-new"
    chat.say("go")
    form.get_by_label("API key").fill("sk-new")
    form.get_by_label("Remember it on this device").check()
    form.get_by_label("API key").press("Enter")
    chat.sees("All right.")
    assert len(host.posts) == 1
    assert chat.page.evaluate("localStorage['reelchat.key']") == "sk-new"


def test_conversations_are_listed_switched_and_deleted_with_a_question(visit: Visit) -> None:
    chat, host = visit()
    host.scripts["first"], host.scripts["second"] = [words("a", "Answer one.")], [words("a", "Answer two.")]
    chat.say("first")
    chat.sees("Answer one.")
    chat.idle()
    chat.button("New conversation").click()
    chat.sees("Describe the picture you have in mind")
    chat.say("second")
    chat.sees("Answer two.")
    chat.idle()
    side = chat.page.get_by_role("navigation", name="Conversations")
    side.get_by_role("link", name="first").click()
    chat.sees("Answer one.")
    assert chat.page.get_by_text("Answer two.").count() == 0
    chat.page.go_back()
    chat.sees("Answer two.")
    bin_ = side.get_by_role("button", name="Delete “second”")
    bin_.click()
    chat.button("Keep").click()
    assert len(host.threads) == 2
    bin_.click()
    chat.button("Delete").click()
    bin_.wait_for(state="detached")
    chat.sees("Describe the picture you have in mind")
    assert [next(iter(turns.values())).said["text"] for turns in host.threads.values()] == ["first"]


def test_chinese_is_the_browsers_or_chosen_and_remembered_and_only_a_choice_is_sent(visit: Visit) -> None:
    chat, host = visit(locale="zh-CN")
    page = chat.page
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    field = page.get_by_role("textbox", name="你的消息")
    field.fill("城市")
    field.press("Enter")
    chat.sees("All right.")
    page.get_by_role("button", name="发送").wait_for()
    assert "lang" not in host.posts[0]
    page.get_by_role("button", name="Switch to English").click()
    chat.say("city")
    chat.idle()
    assert host.posts[1]["lang"] == "en"
    chat.button("Delete “城市”").wait_for()
    page.reload()
    chat.field.wait_for()
    unnamed = "[...document.querySelectorAll('button, select, textarea, dialog')].filter(e => !e.hidden &&"
    unnamed += " !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.textContent.trim())).length"
    assert page.evaluate(unnamed) == 0


def test_enter_while_composing_does_not_send_and_escape_stops_waiting(visit: Visit) -> None:
    chat, host = visit()
    gate = threading.Event()
    host.scripts["wait"] = [words("a", "Still at it."), gate]
    chat.field.fill("ni hao")
    compose = "e => e.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"
    chat.field.evaluate(compose)
    chat.field.press("Shift+Enter")
    assert chat.field.input_value() == "ni hao\n" and host.posts == []
    chat.say("wait")
    chat.sees("Still at it.")
    chat.say("not yet")
    chat.sees("Wait for the answer, then send this.")
    chat.field.press("Escape")
    chat.idle()
    chat.sees("No longer waiting.")
    gate.set()
    assert len(host.cancels) == 1 and len(host.posts) == 1
    assert chat.field.input_value() == "not yet"


def test_words_of_others_are_never_markup(visit: Visit) -> None:
    chat, host = visit()
    hostile = (
        "<img src=x onerror=alert(1)><b>b</b> javascript:alert(1) https://ok.example/a?b=1. http://u:p@evil.example/"
    )
    ours = f"/files/{FILE}/a.mp4?expires=1&signature=s"
    hostile = f"{hostile} {ours}"
    host.scripts["x"] = [
        words("a", hostile), {**TIMELINE, "text": hostile}, {**ASK, "text": hostile, "options": [hostile]},
        {"kind": "error", "code": "x", "text": hostile}, {"kind": "unheard-of", "text": hostile},
        {"kind": "constructor"}, progress(hostile, 2.5),
    ]  # fmt: skip
    chat.say("x")
    chat.idle()
    assert chat.log.locator("img:not(.lanes img), b:not(.error > b)").count() == 0
    links = chat.log.get_by_role("link").evaluate_all("all => all.map(a => [a.href, a.rel])")
    assert set(map(tuple, links)) == {
        (to, "noopener noreferrer") for to in ("https://ok.example/a?b=1", chat.url + ours)
    }


def test_a_phone_has_the_list_behind_a_button_and_nothing_wider_than_the_screen(visit: Visit) -> None:
    chat, host = visit(viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    host.draft = DRAFT
    host.scripts["go"] = [words("a", "long" * 80), TIMELINE, {**ASK, "options": ["yes " * 30]}]
    chat.say("go")
    chat.idle()
    page = chat.page
    assert drawn_width(chat) == 960
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("document.querySelector('#log').scrollWidth <= 360")
    assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('#say')).fontSize)") >= 16
    assert not page.locator("#fresh").is_visible()
    chat.button("Conversations").click()
    page.get_by_role("link", name="go").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="go").wait_for(state="hidden")
    bottom = page.evaluate("document.querySelector('#composer').getBoundingClientRect().bottom")
    assert bottom == 640


def test_a_conversation_of_fifty_turns_opens_quickly(visit: Visit) -> None:
    chat, host = visit()
    host.scripts["go"] = [words("a", "x\n- y\n" * 40), TIMELINE]
    chat.say("go")
    chat.idle()
    (thread, turns), *_ = host.threads.items()
    (turn,) = turns.values()
    for number in range(49):
        again = type(turn)({**turn.said, "turn": f"{number:032x}", "text": f"turn {number}"})
        again.events, again.status = turn.events, "done"
        turns[again.said["turn"]] = again
    chat.page.reload()
    chat.sees("turn 48")
    took = chat.page.evaluate("performance.now()")
    assert took < 5000
    assert chat.page.evaluate("document.querySelector('#log').scrollTop") > 1000


def test_the_keyboard_skips_to_the_field_and_never_loses_its_place(visit: Visit) -> None:
    chat, host = visit()
    host.scripts["maybe"] = [ASK]
    chat.field.evaluate("field => field.blur()")
    chat.page.evaluate("document.querySelector('.skip').focus()")
    chat.page.keyboard.press("Enter")
    focus = "document.activeElement.id"
    assert chat.page.evaluate(focus) == "say"
    chat.say("maybe")
    chat.button("Yes, export").focus()
    chat.page.keyboard.press("Enter")
    chat.sees("All right.")
    assert chat.page.evaluate(focus) == "say"
    assert chat.page.evaluate("location.hash").startswith("#/c-")


def test_a_turn_that_the_server_broke_off_says_so(visit: Visit) -> None:
    chat, host = visit()
    gate = threading.Event()
    host.scripts["go"] = [words("a", "Begun."), gate]
    chat.say("go")
    chat.sees("Begun.")
    (turn,) = next(iter(host.threads.values())).values()
    turn.outcome = "broken"
    gate.set()
    chat.sees("The server stopped in the middle of this.")
    chat.page.reload()
    chat.sees("The server stopped in the middle of this.")


def test_a_host_that_is_away_at_the_start_is_waited_for(visit: Visit) -> None:
    chat, host = visit()
    chat.page.route("**/v1/about", lambda route: route.abort("connectionrefused"))
    chat.page.reload()
    chat.sees("The server can't be reached.")
    chat.page.unroute("**/v1/about")
    chat.ready()
    chat.page.locator("#notice").wait_for(state="hidden")
