"""What is so already is said to be so, and what changes nothing is not charged."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from stage_studio import stage


@pytest.mark.parametrize(
    ("language", "draw", "wish", "said"),
    [
        ("en", "draw a lake", "turn it into a 10-second clip with a slow zoom", "It is like that already."),
        ("zh-CN", "画一片湖", "把它做成 10 秒的视频，慢慢推近", "已经是这样了。"),
        ("en", "draw a lake", "make it 16:9", "That cost nothing."),
    ],
)
def test_a_wish_that_changes_nothing_says_so_and_is_free(
    tmp_path: Path, language: str, draw: str, wish: str, said: str
) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join(language=language)
            await s.say(draw)
            before, paid = (await s.state())["draft"], await s.credits()
            assert said in await s.say(wish)
            assert ((await s.state())["draft"], await s.credits()) == (before, paid)

    asyncio.run(play())


def test_only_what_changes_is_charged_and_reported(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            await s.say("draw a lake")
            said = await s.say("turn it into a 10-second clip with a slow zoom out")
            assert "motion" in said and "already" not in said
            assert (await s.state())["draft"]["t"][0]["sg"][0]["m"]["motion"] == "zoom-out"
            assert await s.credits() == (97, 0, 97)
            await s.say("add lo-fi music at 35%")
            assert "already" in await s.say("add lo-fi music at 35%")
            assert await s.credits() == (96, 0, 96)

    asyncio.run(play())


def test_a_picture_is_replaced_for_the_price_of_one(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            await s.say("draw 2 pictures of a lake")
            await s.say("replace picture 2 with a forest")
            assert await s.timeline() == [("Video", "lake (1/2)", 0, 5_000), ("Video", "forest", 5_000, 10_000)]
            await s.say("one more")
            assert [name for _, name, _, _ in await s.timeline()] == ["lake (1/2)", "forest", "forest"]
            assert await s.credits() == (94, 0, 94)

    asyncio.run(play())


def test_a_question_is_answered_for_nothing(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            await s.say("draw a lake")
            before, paid = (await s.state())["draft"], await s.credits()
            assert await s.say("how do I add music?") == "Say “add lo-fi music at 35%”."
            assert ((await s.state())["draft"], await s.credits()) == (before, paid)
            assert await s.say("keep it") == "It stays as it is."

    asyncio.run(play())
