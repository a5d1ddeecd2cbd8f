"""`reelchat admin`: keys, usage and the data of one user, for whoever runs a host."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from door_stage import GENERATE, Client, gated, makes, serving
from world import World

from agent.cli import main
from agent.entries import Job
from agent.house import thread_id_of
from agent.journal import Journal, label
from agent.serve.admin import Office

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """`reelchat admin …` on a home of its own: exit code, standard output and standard error."""
    monkeypatch.setenv("REELCHAT_HOME", str(tmp_path))

    def call(*arguments: str, lang: str = "en") -> tuple[int, str, str]:
        code = main(["--lang", lang, "admin", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield call


def test_a_key_is_printed_once_and_alone_so_that_it_can_be_piped(run: Run) -> None:
    code, out, err = run("keys", "add", "laptop", "--user", "alice")
    assert code == 0 and out.startswith("sk-reel-") and out.count("\n") == 1
    assert "speaks for the user alice" in err and out.strip() not in err
    code, listed, _ = run("keys", "list")
    assert code == 0 and listed.startswith("laptop  ") and "alice  user key" in listed
    assert out.strip() not in listed


def test_a_key_is_revoked_by_its_name(run: Run) -> None:
    run("keys", "add", "laptop")
    assert run("keys", "add", "laptop")[0] == 1
    code, out, err = run("keys", "revoke", "laptop")
    assert code == 0 and not out and "Revoked “laptop” (1)." in err and "That was the last key." in err
    assert run("keys", "list") == (0, "", "There are no keys, so the host answers this machine only.\n")
    assert run("keys", "revoke", "laptop")[0] == 1


@pytest.mark.parametrize("user", ["local", "a/b", "a:b", "/x", "", "x" * 200])
def test_some_names_are_nobody_s(user: str, run: Run) -> None:
    code, out, err = run("keys", "add", "key", "--user", user or "\n")
    assert code == 1 and not out and "can't be a user's name" in err


def test_the_sentences_are_in_the_language_that_is_asked_for(run: Run) -> None:
    code, _, err = run("keys", "add", "webui", "--gateway", lang="zh")
    assert code == 0 and "密钥“webui”代表请求中写明的用户" in err
    assert "网关密钥" in run("keys", "list", lang="zh")[1]


def test_nothing_is_deleted_unasked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("keys", "add", "alice")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    code, out, err = run("delete-user", "alice")
    assert code == 2 and not out and "add --yes" in err
    assert run("delete-user", "nobody", "--yes") == (
        1,
        "",
        "There is no user “nobody”; “reelchat admin usage” shows them.\n",
    )
    assert run("delete-user", "local", "--yes")[0] == 1
    assert "alice" in run("keys", "list")[1]


def test_what_is_too_old_goes_on_demand(run: Run) -> None:
    assert run("prune")[2] == "Deleted 0 conversations, 0 files and 0 settled jobs.\n"
    assert run("prune", "--keep-days", "soon")[0] == 2


def test_usage_adds_up_turns_credits_and_files(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    makes(world)

    async def scenario(client: Client) -> None:
        await client.post("/v1/turns", {"thread": "a", "text": GENERATE})
        await client.post("/v1/turns", {"thread": "a", "text": "add music"})
        path = client.host.turns.agent("guest").tools.desk.new("a.png")  # type: ignore[attr-defined]  # a vault
        path.write_bytes(b"x" * 2000)
        office = Office(client.host.house)
        assert await office.show_usage(None, None) == 0
        await client.http.delete("/v1/threads/a")
        assert await office.show_usage("guest", 1) == 0

    serving(world, scenario)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("guest: turns 2, credits 0, conversations 1, files 1 (2 KB), last turn 2026-01-01 ")
    assert second == "guest: turns 2, credits 0, conversations 0, files 1 (2 KB), last turn -"


async def everything(client: Client, user: str) -> list[Any]:
    """What is known of a user, wherever it is kept."""
    house = client.host.house
    found: list[Any] = list(await house.keep.store.asearch(("reelchat", label(user)), limit=100))
    config = {"configurable": {"thread_id": thread_id_of(user, "a")}}
    found += [one async for one in house.keep.graph().aget_state_history(config)]  # type: ignore[arg-type]
    return [
        *found,
        *house.folder(user).rglob("*.png"),
        *(key for key in await client.host.keys.all() if key.user == user),
    ]


def test_of_a_deleted_user_nothing_is_left_and_of_others_everything(world: World) -> None:
    for _ in range(4):
        makes(world)

    async def scenario(client: Client) -> None:
        for user in ("ann", "ann_e", "ann.e", "anne"):
            key = await client.key(user)
            await client.post("/v1/turns", {"thread": "a", "text": GENERATE}, Authorization=key)
            client.host.turns.agent(user).tools.desk.new("a.png").write_bytes(b"x")  # type: ignore[attr-defined]
        client.host.keys._any = (float("-inf"), False)
        before = [len(await everything(client, user)) for user in ("ann", "ann_e", "ann.e", "anne")]
        assert all(before)
        assert await Office(client.host.house).delete_user("ann") == 0
        client.host.keys._known.clear()
        after = [len(await everything(client, user)) for user in ("ann", "ann_e", "ann.e", "anne")]
        assert after == [0, *before[1:]]

    serving(world, scenario)


def test_a_user_is_not_deleted_in_the_middle_of_a_turn_or_a_render(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    begun, may = gated(world)

    async def scenario(client: Client) -> None:
        office, store = Office(client.host.house), client.host.house.keep.store
        turn = asyncio.create_task(client.post("/v1/turns", {"thread": "a", "text": GENERATE}))
        await begun.wait()
        assert await office.delete_user("guest") == 1
        may.set()
        await turn
        await Journal(store, "guest").job(Job("r1", "t", "s", "mp4", "/x", {}, "2026-01-01", "submitted"))
        async with client.host.house.keep.leases.hold("r1"):
            assert await office.delete_user("guest") == 1
        assert await everything(client, "guest")
        assert await office.delete_user("guest") == 0
        assert not await everything(client, "guest")

    serving(world, scenario)
    busy = "A turn or a render of “guest” is running, so nothing was deleted. Try again when it is done.\n"
    assert capsys.readouterr().err.startswith(busy * 2)
