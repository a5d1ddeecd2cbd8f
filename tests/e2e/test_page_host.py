"""The page in a real browser in front of the real host and a real studio."""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_host import Chat, serving
from PIL import Image

from agent.serve import application
from agent.settings import Settings
from agent.skills import load_skill
from evals.stage import FAST, studio

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no browser to drive")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if CHROMIUM is None:
    pytest.skip("no Chromium is installed", allow_module_level=True)

ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    # The browser's own loop runs in this thread, so the studio is entered and left by hand in another.
    with asyncio.Runner() as runner:
        stage = studio(tmp_path / "studio", *FAST)
        url = runner.run(stage.__aenter__())
        settings = Settings.load(backend=url, home=tmp_path, exports=tmp_path / "exports", environ={})
        try:
            with serving(application(settings, load_skill("generator-image")), "on") as address:
                yield from browsing(address)
        finally:
            runner.run(stage.__aexit__(None, None, None))


def browsing(address: str) -> Iterator[Chat]:
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        tab = browser.new_context(locale="en-US").new_page()
        tab.set_default_timeout(25_000)
        chat = Chat(tab, address)
        yield chat.open().ready()
        browser.close()
        assert chat.problems == []


def photo() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (320, 180), (40, 90, 160)).save(file, "PNG")
    return file.getvalue()


def test_a_picture_is_dropped_edited_exported_and_still_there_after_a_reload(chat: Chat) -> None:
    chat.attach(("beach.png", "image/png", photo()))
    chat.page.locator("#tray li.ready").wait_for()
    chat.say("make a 4-second clip from it")
    chat.page.locator(".draft").first.wait_for()
    chat.idle()
    chat.say("export as mp4")
    player: Any = chat.page.locator(".delivered video")
    player.wait_for()
    chat.idle()
    chat.page.reload()
    player.wait_for()
    chat.page.locator(".lanes img").wait_for()
    size = """video => new Promise((done) => {
        const tell = () => done(video.videoWidth);
        video.readyState ? tell() : video.addEventListener("loadedmetadata", tell);
    })"""
    assert player.evaluate(size) == 320
    assert chat.log.get_by_text("beach.png").count() >= 1
    assert chat.page.get_by_role("link", name="Download").get_attribute("download").endswith(".mp4")
