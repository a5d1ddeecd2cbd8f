"""The studio's endpoints, as a client sees them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from stage_studio import Stage, breathe, events, stage, texts

from studio.workers import WorkerFailed

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
WAV = b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 64


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def stored(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("studio.db*"))


def test_the_three_sentences_of_the_document_make_its_three_tracks(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            await s.say("generate a realistic image of a futuristic city at night")
            assert await s.timeline() == [("Video", "futuristic city at night", 0, 10_000)]
            await s.say("add lo-fi background music at 35%")
            await s.say('put "Urban Dreams" at the start for 3 seconds')
            assert await s.timeline() == [
                ("Video", "futuristic city at night", 0, 10_000),
                ("BGM", "Lo-fi", 0, 10_000),
                ("Title", "Urban Dreams", 0, 3_000),
            ]
            draft = (await s.state())["draft"]
            assert [track["tt"] for track in draft["t"]] == [0, 1, 7]
            assert draft["t"][1]["sg"][0]["m"]["volume"] == 0.35
            assert await s.credits() == (96, 0, 96)

    asyncio.run(play())


def test_the_stream_has_partials_then_the_whole_and_tools_between(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            answer = await s.send("generate a city at night")
            found = events(answer)
            parts = [event["content"]["parts"][0] for event in found]
            assert parts[0]["functionCall"]["name"] == "generate_image"
            assert parts[1]["functionResponse"]["name"] == "generate_image"
            partials = "".join(e["content"]["parts"][0]["text"] for e in found if e.get("partial"))
            assert partials == parts[-1]["text"] and "partial" not in found[-1]
            assert "no image model" in partials and "click the Export button" in partials
            assert all(event["author"] == "nemo_agent" for event in found)
            assert b": " not in answer.content.split(b"data: ")[1][:12], "compact JSON"

    asyncio.run(play())


def test_a_session_in_chinese_is_answered_in_raw_utf8_chinese(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join(language="zh-CN")
            answer = await s.send("生成一张夜晚未来城市的图片")
            assert "图片已生成" in answer.text and "点击“导出”按钮" in answer.text and "\\u" not in answer.text
            assert await s.timeline() == [("Video", "夜晚未来城市", 0, 10_000)]
            assert "没有运行图像模型" not in await s.say("生成一张海边日落的图片"), "said once"

    asyncio.run(play())


def test_the_flat_dialect_has_a_type_on_every_event(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path, dialect="flat") as s:
            await s.join()
            found = events(await s.send("add epic music"))
            assert [event["type"] for event in found][:2] == ["tool_call", "tool_result"]
            assert "".join(event["content"] for event in found[2:]).startswith("I've added the background music")

    asyncio.run(play())


def test_the_words_for_a_button_come_unconditionally_only_when_the_file_was_asked_for(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            assert "nothing on the timeline" in await s.say("export")
            assert "When you're happy with it, click the Export button." in await s.say("generate a lake")
            assert "Click the Export button to download it." in await s.say("please export it")

    asyncio.run(play())


def test_what_it_cannot_do_is_said_and_costs_nothing(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            said = await s.say("make the colors warmer")
            assert "can't do “make the colors warmer”" in said and "add titles" in said
            assert await s.credits() == (100, 0, 100)
            assert "no background music" in await s.say("remove the music")
            assert await s.credits() == (100, 0, 100)

    asyncio.run(play())


def test_edits_fall_silent_the_same_way_for_the_same_seed(tmp_path: Path) -> None:
    async def lengths(folder: Path, seed: int) -> list[bool]:
        async with stage(folder, silent_rate=0.3, seed=seed) as s:
            await s.join()
            await s.say("generate a lake")
            silent = []
            for n in range(40):
                before = await s.timeline()
                silent.append(not await s.say(f'put "Take {n}" at the start'))
                assert await s.timeline() != before, "the draft changes all the same"
            return silent

    one = asyncio.run(lengths(tmp_path / "a", 1))
    assert one == asyncio.run(lengths(tmp_path / "b", 1))
    assert one != asyncio.run(lengths(tmp_path / "c", 2))
    assert 5 <= sum(one) <= 20


def test_generations_and_refusals_are_never_silent(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path, silent_rate=1.0) as s:
            await s.join()
            assert await s.say("generate a lake")
            assert not await s.say("add music")
            assert await s.say("add music and make the colors warmer")

    asyncio.run(play())


def test_a_video_brief_comes_in_two_stages_in_one_stream(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            found = events(await s.send("make a 30-second promo about a coffee shop"))
            said = [part["text"] for event in found for part in texts(event)]
            assert len(said) == 2 and "raw pictures" in said[0] and "on my own" in said[1] and "keep" in said[1]
            assert [(track, end) for track, _, start, end in await s.timeline() if start == 0] == [
                ("Video", 7_500),
                ("BGM", 30_000),
                ("Title", 3_000),
            ]
            assert await s.credits() == (95, 0, 95)
            await s.say("undo")
            assert {track for track, *_ in await s.timeline()} == {"Video"}

    asyncio.run(play())


def test_an_edit_finishes_after_its_reader_left_and_credits_are_frozen_meanwhile(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            s.workers.gate = asyncio.Event()
            reader = asyncio.create_task(s.send("generate a lake"))
            await breathe()
            assert await s.credits() == (98, 2, 100)
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            s.workers.gate.set()
            await s.app.state.turns.drain()
            assert await s.timeline() == [("Video", "lake", 0, 10_000)]
            assert await s.credits() == (98, 0, 98)

    asyncio.run(play())


def test_a_switch_cancels_the_edit_with_its_reader(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path, cancel_on_disconnect=True) as s:
            await s.join()
            s.workers.gate = asyncio.Event()
            reader = asyncio.create_task(s.send("generate a lake"))
            await breathe()
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            await s.app.state.turns.drain()
            assert await s.timeline() == [] and await s.credits() == (100, 0, 100)

    asyncio.run(play())


def test_heartbeats_come_every_ten_seconds_while_it_draws(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            s.workers.gate = asyncio.Event()
            sending = asyncio.create_task(s.send("generate a lake"))
            await s.clock.advance(35)
            assert await s.credits() == (98, 2, 100), "the hold outlives its first lease"
            s.workers.gate.set()
            answer = await sending
            assert answer.text.count("data:\n\n") == 3

    asyncio.run(play())


def test_two_messages_to_one_session_take_turns(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            await asyncio.gather(*(s.send(f"generate a lake number {n}") for n in range(4)))
            found = await s.timeline()
            assert [start for _, _, start, _ in found] == [0, 10_000, 20_000, 30_000]
            assert await s.credits() == (92, 0, 92)

    asyncio.run(play())


def test_a_drawing_that_fails_is_not_charged(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            s.workers.fail = WorkerFailed("out of paint")
            assert "could not be drawn" in await s.say("generate a lake")
            assert await s.timeline() == [] and await s.credits() == (100, 0, 100)

    asyncio.run(play())


def test_strict_runs_out_of_credits_and_the_default_refills(tmp_path: Path) -> None:
    async def play(strict: bool) -> tuple[object, tuple[int, int, int]]:
        async with stage(tmp_path / str(strict), strict=strict) as s:
            await s.join()
            s.store.db.execute("UPDATE accounts SET credits = 1")
            answer = await s.send("generate a lake")
            code = answer.json()["code"] if strict else events(answer)[0]["author"]
            return code, await s.credits()

    assert asyncio.run(play(True)) == (2001, (1, 0, 1))
    assert asyncio.run(play(False)) == ("nemo_agent", (98, 0, 98))


def test_a_token_needs_a_client_id_and_strict_gives_one_a_week(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path, strict=True) as s:
            assert (await s.http.post("/api/auth/anonymous-token")).json()["code"] == 400
            await s.join("one")
            again = await s.http.post("/api/auth/anonymous-token", headers={"X-Client-Id": "one"})
            assert again.status_code == 429 and again.json()["code"] == 429
            s.clock.jump(7 * 24 * 3600 + 1)
            assert (await s.http.get("/api/credits/balance/simple")).json()["code"] == 1001
            renewed = await s.http.post("/api/auth/anonymous-token", headers={"X-Client-Id": "one"})
            assert renewed.json()["data"]["credits"] == 100
        assert renewed.json()["data"]["token"].encode() not in stored(tmp_path)

    asyncio.run(play())


def test_no_token_is_1001_and_a_foreign_session_is_1002(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join("one")
            mine = s.session
            await s.join("two")
            paths = [f"/api/state/nemo_agent/me/{mine}/latest", "/api/state/nemo_agent/me/nothing/latest"]
            assert [(await s.http.get(path)).json()["code"] for path in paths] == [1002, 1002]
            assert (await s.send("generate a lake", mine)).json()["code"] == 1002
            upload = await s.http.post(f"/api/upload-video/nemo_agent/me/{mine}", files={"files": ("a.png", PNG)})
            assert upload.json()["code"] == 1002
            s.http.headers["Authorization"] = "Bearer nmv_usr_wrong"
            assert (await s.send("generate a lake")).json()["code"] == 1001

    asyncio.run(play())


def test_uploads_are_told_by_content_and_used_by_words(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            path = f"/api/upload-video/nemo_agent/me/{s.session}"
            files = [("files", (f"../{n}.jpg", PNG + bytes([n]))) for n in range(3)] + [("files", ("v.mp3", WAV))]
            answer = (await s.http.post(path, files=files)).json()["data"]["files"]
            assert [f["filename"] for f in answer] == ["0.jpg", "1.jpg", "2.jpg", "v.mp3"]
            assert [f["file_type"] for f in answer] == ["image", "image", "image", "audio"]
            again = (await s.http.post(path, files=files[:1])).json()["data"]["files"]
            assert again[0]["id"] == answer[0]["id"] and len((await s.state())["video_infos"]) == 4
            await s.say("turn these photos and audio into a 30-second promo video with transitions")
            assert await s.timeline() == [
                ("Video", "0", 0, 10_000),
                ("Video", "1", 10_000, 20_000),
                ("Video", "2", 20_000, 30_000),
                ("Voice", "v", 0, 12_000),
            ]
            file = await s.http.get(answer[0]["cdn_url"], headers={"Authorization": ""})
            assert file.content == PNG + b"\0" and file.headers["content-type"] == "image/png"

    asyncio.run(play())


def test_a_wrong_type_is_4001_and_too_large_is_4002_and_neither_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            path = f"/api/upload-video/nemo_agent/me/{s.session}"
            html = await s.http.post(path, files={"files": ("a.jpg", b"<html>")})
            assert html.json()["code"] == 4001 and "mp4" in html.json()["message"]
            monkeypatch.setattr("studio.uploads.LIMIT", 1000)
            monkeypatch.setattr("studio.uploads.LARGE_LIMIT", 5000)
            large = {"files": ("a.png", PNG + b"\0" * 2000)}
            assert (await s.http.post(path, files=large)).json()["code"] == 4002
            source = {"X-Skill-Source": "how-to-create-ai-video"}
            assert (await s.http.post(path, files=large, headers=source)).json()["code"] == 0
            assert len(names(tmp_path / "media")) == 1

    asyncio.run(play())


@pytest.mark.parametrize("header", ["X-Skill-Source", "X-Skill-Version", "X-Skill-Platform"])
def test_an_export_without_an_attribution_header_is_402(tmp_path: Path, header: str) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            await s.say("generate a lake")
            del s.http.headers[header]
            answer = await s.submit()
            assert answer.status_code == 402 and answer.json()["code"] == 402

    asyncio.run(play())


async def _rendered(s: Stage) -> dict[str, object]:
    await s.join()
    await s.say("generate a lake")
    await s.submit()
    for _ in range(5):
        await s.clock.advance(1)
    answer: dict[str, object] = (await s.poll()).json()
    return answer


def test_a_finished_render_has_a_signed_link_with_ranges_and_tags(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path, work=True) as s:
            answer = await _rendered(s)
            assert answer["status"] == "completed" and answer["progress"] == 1
            url = answer["output"]["url"]  # type: ignore[index]
            assert answer["data"]["outputUrl"] == url  # type: ignore[index]
            assert (await s.poll()).headers["retry-after"] == "1"
            s.http.headers.pop("Authorization")
            whole = await s.http.get(url)
            assert whole.content == b"0123456789" and whole.headers["content-type"] == "video/mp4"
            tag = whole.headers["etag"]
            part = await s.http.get(url, headers={"Range": "bytes=4-", "If-Range": tag})
            assert (part.status_code, part.content) == (206, b"456789")
            assert part.headers["content-range"] == "bytes 4-9/10"
            other = await s.http.get(url, headers={"Range": "bytes=4-", "If-Range": '"other"'})
            assert (other.status_code, other.content) == (200, b"0123456789")
            assert (await s.http.get(url, headers={"Range": "bytes=99-"})).status_code == 416
            assert (await s.http.get(url, headers={"If-None-Match": tag})).status_code == 304
            assert (await s.http.get(url.replace("signature=", "signature=0"))).json()["code"] == 403
            s.clock.jump(3 * 24 * 3600)
            assert (await s.http.get(url)).json()["code"] == 403

    asyncio.run(play())


def test_the_download_path_needs_the_token(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path, work=True) as s:
            await _rendered(s)
            path = "/api/render/proxy/render_1/download"
            assert (await s.http.get(path)).content == b"0123456789"
            await s.join("somebody else")
            assert (await s.http.get(path)).json()["code"] == 404

    asyncio.run(play())


def test_the_same_render_id_twice_is_one_job(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            await s.say("generate a lake")
            answers = await asyncio.gather(*(s.submit() for _ in range(3)))
            assert {answer.json()["id"] for answer in answers} == {"render_1"}
            assert s.store.db.execute("SELECT count(*) FROM jobs").fetchone()[0] == 1

    asyncio.run(play())


def test_a_render_takes_no_file_the_session_does_not_have(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path, work=True) as s:
            await s.join()
            await s.say("generate a lake")
            meta = {"src": "/etc/passwd", "kind": "image"}
            draft = {"m": {}, "t": [{"tt": 0, "m": {}, "sg": [{"id": "x", "s": 0, "d": 1000, "m": meta}]}]}
            await s.submit(draft=draft)
            await s.clock.advance(1)
            assert s.workers.ran[0]["assets"] == {}
            assert (await s.submit("render_2", draft={"t": []})).json()["code"] == 400
            assert (await s.submit("render_3", output={"format": "exe"})).json()["code"] == 400

    asyncio.run(play())


def test_a_lone_surrogate_does_not_break_the_session(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            message = json.dumps({"parts": [{"text": 'put "A\ud83d" at the start'}]})
            body = f'{{"session_id": "{s.session}", "new_message": {message}}}'
            await s.http.post("/run_sse", content=body)
            assert (await s.timeline())[0][1] == "A?"

    asyncio.run(play())


def test_a_body_that_is_no_json_and_an_unknown_path_get_plain_answers(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as s:
            await s.join()
            assert (await s.http.post("/run_sse", content="{")).json()["code"] == 400
            assert (await s.http.get("/nowhere")).json() == {"detail": "Not Found"}
            claim = {"task_id": "t", "session_id": s.session}
            answer = await s.http.post("/api/auth/claim-token", json=claim)
            assert answer.json()["data"]["claim_token"].startswith("clm_")

    asyncio.run(play())
