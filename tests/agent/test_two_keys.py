"""Two people on one host: neither sees anything of the other's, by whatever door."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_nemo import CITY, edit, say
from gate import PNG, Gate, at_gate
from starlette.routing import Route

from agent.serve.keys import GUEST, Keys, Principal, fit_user, on_behalf

TURN = "a" * 32
SECRET = "zanzibar"
PUBLIC = ("/v1/models/{name}",)
"""What is the same for everybody."""
OWN_PROOF = ("/files/{handle}/{name}",)
"""A signed link is for whoever has it."""


@dataclass
class Things:
    """What Anna has, by every name that a door knows it by."""

    handle: str
    made: str
    link: str
    response: str
    conversation: str

    def path(self, route: Route, param: str) -> str:
        """Of one path parameter; a KeyError is a new kind of thing: say here which one of Anna's it is."""
        if route.path.startswith("/v1/responses"):
            return {"id": self.response}[param]
        if route.path.startswith("/v1/conversations"):
            return {"id": self.conversation}[param]
        return {"thread": "a", "turn": TURN, "handle": self.handle, "name": "x.png"}[param]

    @property
    def marks(self) -> tuple[str, ...]:
        """What Ben must never read."""
        return (SECRET, self.handle, self.made, self.response, self.conversation, "anna")


async def furnish(gate: Gate) -> Things:
    """Anna talks, uploads and exports."""
    anna = gate.key("anna")
    upload = (await gate.upload(f"{SECRET}.png", PNG, anna)).json()["id"]
    gate.nemo.scripts.append([edit(CITY), say(f"A city in {SECRET}.")])
    await gate.turn("a", f"generate a city in {SECRET}", headers=anna, turn=TURN, files=[upload])
    exported = await gate.turn("a", "export it", headers=anna)
    (delivered,) = [json.loads(line[6:]) for line in exported.text.splitlines() if '"kind":"delivered"' in line]
    asked = {"model": "reelchat", "input": f"status of {SECRET}"}
    response = (await gate.client.post("/v1/responses", json=asked, headers=anna)).json()["id"]
    opened = await gate.client.post("/v1/conversations", json={}, headers=anna)
    return Things(upload, delivered["path"].partition("/")[0], delivered["url"], response, opened.json()["id"])


def routes(gate: Gate) -> list[tuple[Route, str]]:
    """Every route with each of its methods."""
    found = [route for route in gate.app.routes if isinstance(route, Route)]
    assert len(found) == len(gate.app.routes), "something is mounted that these tests do not look into"
    return [(route, method) for route in found for method in sorted(route.methods or ()) if method != "HEAD"]


def filled(route: Route, things: Things) -> str:
    path = route.path
    for param in route.param_convertors:
        path = path.replace(f"{{{param}}}", things.path(route, param))
    return path


def test_no_route_answers_for_what_another_key_owns(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> None:
        things, seen = await furnish(gate), 0
        ben, anna = gate.key("ben"), gate.key("anna")
        before = _disk(tmp_path)
        for route, method in routes(gate):
            if not route.param_convertors or route.path in PUBLIC:
                continue
            headers = {} if route.path in OWN_PROOF else ben
            answer = await gate.client.request(method, filled(route, things), headers=headers)
            assert answer.status_code == 404, (method, route.path, answer.text)
            assert answer.json()["error"]["code"] == "not_found"
            _blind(answer, things)
            seen += 1
        assert seen > 10
        assert _disk(tmp_path) == before  # neither deleted nor made
        for route, method in routes(gate):  # and these were the right names
            if method == "GET" and route.param_convertors and route.path not in (*PUBLIC, *OWN_PROOF):
                answer = await gate.client.get(filled(route, things), headers=anna)
                assert answer.status_code == 200, (route.path, answer.text)
        assert (await gate.client.get(things.link)).content == b"movie"

    at_gate(tmp_path, scenario, users=["anna", "ben"])


def test_no_list_has_anything_of_another_keys(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> None:
        things = await furnish(gate)
        for route, method in routes(gate):
            if method == "GET" and not route.param_convertors:
                answer = await gate.client.get(route.path, headers=gate.key("ben"))
                # Ready or not depends on a backend that nobody is at.
                assert answer.status_code == 200 or route.path == "/readyz", (route.path, answer.text)
                _blind(answer, things)
        assert SECRET in (await gate.client.get("/v1/threads", headers=gate.key("anna"))).text
        assert things.made in (await gate.client.get("/v1/files", headers=gate.key("anna"))).text

    at_gate(tmp_path, scenario, users=["anna", "ben"])


def bodies(things: Things) -> dict[str, list[dict[str, Any]]]:
    """For every door that takes a body, requests that name Anna's things; [] where a body names nothing."""
    message = {"role": "user", "content": [{"type": "file", "file": {"file_id": things.handle}}]}
    made = {"role": "user", "content": [{"type": "input_image", "file_id": things.made}]}
    return {
        "/v1/turns": [
            {"thread": "b", "text": "look at it", "files": [things.handle]},
            {"thread": "b", "text": "look at it", "files": [things.made]},
        ],
        "/v1/chat/completions": [{"model": "reelchat", "messages": [message]}],
        "/v1/responses": [
            {"input": "go on", "previous_response_id": things.response},
            {"input": "go on", "conversation": things.conversation},
            {"input": [made]},
        ],
        "/v1/agui": [{"threadId": "b", "runId": "r", "messages": [{"id": "m", **message}]}],
        "/v1/files": [],
        "/v1/conversations": [],
    }


def test_no_body_reaches_what_another_key_owns(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> None:
        things, ben = await furnish(gate), gate.key("ben")
        asked = bodies(things)
        doors = {route.path for route, method in routes(gate) if method == "POST" and not route.param_convertors}
        assert doors == set(asked), "a new door: say here how a body of it could name another's things"
        wrote = len(gate.nemo.writes)
        for path, several in asked.items():
            for body in several:
                answer = await gate.client.post(path, json=body, headers=ben)
                assert answer.status_code >= 400, (path, body, answer.text)
                assert answer.json()["error"]["code"] in ("not_found", "bad_request", "unsupported_type")
        assert len(gate.nemo.writes) == wrote

    at_gate(tmp_path, scenario, users=["anna", "ben"])


def test_the_same_name_of_a_conversation_or_a_turn_is_another_one_with_another_key(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> None:
        things, ben = await furnish(gate), gate.key("ben")
        again = await gate.turn("a", "status", headers=ben, turn=TURN)
        assert '"replayed":false' in again.text
        _blind(again, things)
        assert (await gate.client.delete("/v1/threads/a", headers=ben)).status_code == 204
        kept = (await gate.client.get("/v1/threads/a", headers=gate.key("anna"))).json()
        assert kept["title"].endswith(SECRET) and len(kept["turns"]) == 2

    at_gate(tmp_path, scenario, users=["anna", "ben"])


def test_names_that_resemble_each_other_are_different_people(tmp_path: Path) -> None:
    names = ["anna", "Anna", "ann", "a_na", "anna b", "a.b@example.org", "a%2Eb@example.org"]

    async def scenario(gate: Gate) -> None:
        for name in names[:-1]:
            await gate.add(name)
            await gate.turn("t", f"status of {name}", headers=gate.key(name))
            await gate.upload("a.png", PNG, gate.key(name))
        for name in names[:-1]:
            (thread,) = (await gate.client.get("/v1/threads", headers=gate.key(name))).json()["threads"]
            assert thread["title"] == f"status of {name}"
            assert len((await gate.client.get("/v1/files", headers=gate.key(name))).json()["data"]) == 1
        with pytest.raises(ValueError, match="%"):
            await gate.add(names[-1])

    at_gate(tmp_path, scenario)


def test_a_gateway_speaks_for_its_own_users_and_a_plain_key_for_nobody_else(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> None:
        for name in ("one", "two"):
            await gate.add(name, gateway=True)
        await gate.add("plain")

        def who(key: str, user: str, header: str = "x-openwebui-user-id") -> dict[str, str]:
            return {**gate.key(key), header: user}

        async def titles(headers: dict[str, str]) -> list[str]:
            found = (await gate.client.get("/v1/threads", headers=headers)).json()["threads"]
            return [one["title"] for one in found]

        people = [
            who("one", "anna"),
            who("two", "anna"),
            who("one", "anna:t"),
            who("one", "anna/t"),
            who("one", "x" * 300),
            who("one", "x" * 301),
            gate.key("one"),
            gate.key("plain"),
        ]
        for number, headers in enumerate(people):
            await gate.turn("t:t", f"status {number}", headers=headers)
            await gate.turn("t", f"status {number}", headers=headers)
        for number, headers in enumerate(people):
            assert await titles(headers) == [f"status {number}"] * 2
        assert await titles(who("one", "anna", "x-user-id")) == ["status 0"] * 2
        # A key that is no gateway stays itself, whatever it names.
        assert await titles(who("plain", "one/anna")) == await titles(who("plain", "anna")) == ["status 7"] * 2

    at_gate(tmp_path, scenario)


def test_no_key_can_have_the_name_of_a_gateways_user_or_of_the_person_at_the_machine() -> None:
    gateway = Principal("gw", "digest", gateway=True)
    names = [on_behalf(gateway, named).user for named in ("anna", "a/b", "a:b", "~x", "..", "é", "", " ")]
    assert len(set(names)) == len(names)
    for name in (*names[:6], names[7], "local", "", "a:b", "a/b", "~a", "a\n", "a\0", "-a", "x" * 129):
        assert not fit_user(name), name
    for name in ("anna", "安娜", "Anna B", "a.b+c@example.org", GUEST, "x" * 128):
        assert fit_user(name), name
    assert all(name == "gw" or name.startswith("gw/") for name in names)


def test_a_key_is_kept_as_its_digest_alone(tmp_path: Path) -> None:
    async def scenario(gate: Gate) -> None:
        secret = gate.keys["anna"]
        (key,) = await gate.host.keys.all()
        assert secret not in repr(key) and len(secret) > 40
        assert await gate.host.keys.who(secret.upper()) is None
        assert await gate.host.keys.who(key.digest) is None
        assert secret.encode() not in _written(tmp_path)
        other = Keys(gate.host.house.keep.store)  # of another process
        assert await other.who(secret) == Principal("anna", key.digest)

    at_gate(tmp_path, scenario, users=["anna"])


def _blind(answer: httpx.Response, things: Things) -> None:
    said = answer.text + repr(answer.headers)
    assert not [mark for mark in things.marks if mark in said], said[:500]


def _disk(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if "users" in path.parts and path.is_file()}


def _written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*.db*"))
