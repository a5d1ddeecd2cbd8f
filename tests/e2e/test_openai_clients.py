"""Real clients of OpenAI's API against a running host in front of a real studio, whose books say what happened.

They run with the interpreter that REELCHAT_CLIENTS names, else with ours where it has them.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CLIENTS = os.environ.get("REELCHAT_CLIENTS") or sys.executable
REELCHAT = [sys.executable, "-c", "import sys; from agent.cli import main; sys.exit(main())"]
STUDIO = ["--size", "320x180", "--pace", "0", "--silent-rate", "0"]
GUARD_S = 90


@functools.cache
def there(package: str) -> bool:
    """Whether the clients' interpreter has a package."""
    find = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([CLIENTS, "-c", find], check=False).returncode == 0


def needs(package: str, name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not there(package), reason=f"{name} is not installed; REELCHAT_CLIENTS can name a Python")


@dataclass
class Served:
    """A host with its studio, and a key."""

    folder: Path
    url: str
    key: str

    def books(self, query: str) -> int:
        """A number out of the studio's database."""
        db = sqlite3.connect(self.folder / "studio" / "studio.db")
        try:
            return int(db.execute(query).fetchone()[0])
        finally:
            db.close()

    @property
    def edits(self) -> int:
        return self.books("SELECT coalesce(sum(turns), 0) FROM sessions")

    @property
    def renders(self) -> int:
        return self.books("SELECT count(*) FROM jobs WHERE key LIKE '%render%' OR spec LIKE '%\"render\"%'")

    def play(self, script: str, **environ: str) -> dict[str, object]:
        """Runs a client's script; what it prints last is JSON."""
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        code = textwrap.dedent(script)
        more = {"BASE": f"{self.url}/v1", "KEY": self.key, "OPENAI_API_KEY": self.key, **environ}
        done = subprocess.run(
            [CLIENTS, "-c", code],
            env={**kept, **more},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=GUARD_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return found


def _listening(process: subprocess.Popen[str]) -> str:
    """The address that a host says it listens on; what it says later is read, so that it never waits for us."""
    assert process.stderr
    for line in process.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return found[0]
    raise AssertionError("the host did not start")


def _key(environ: dict[str, str], backend: str, folder: Path) -> str:
    made = subprocess.run(
        [*REELCHAT, "--backend", backend, "admin", "keys", "add", "tester"],
        env=environ, cwd=folder, capture_output=True, text=True, timeout=GUARD_S, check=True,
    )  # fmt: skip
    return made.stdout.strip()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not there("openai"):
        pytest.skip("openai is not installed; REELCHAT_CLIENTS can name a Python that has it")
    folder = tmp_path_factory.mktemp("served")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEMO_", "REELCHAT_", "LC_"))}
    environ = {**kept, "REELCHAT_HOME": str(folder / "home"), "LANG": "C.UTF-8"}
    studio = subprocess.Popen(
        [sys.executable, "-m", "studio", "--data", str(folder / "studio"), *STUDIO],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder,
    )  # fmt: skip
    assert studio.stdin and studio.stdout
    with studio:
        backend = str(json.loads(studio.stdout.readline())["url"])
        key = _key(environ, backend, folder)
        host = subprocess.Popen(
            [*REELCHAT, "--backend", backend, "serve", "--port", "0"],
            env=environ, cwd=folder, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        with host:
            yield Served(folder, _listening(host), key)
            host.terminate()
            assert host.wait(GUARD_S) == 0
        studio.stdin.close()


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_openai_chats_streams_and_exports(served: Served) -> None:
    edits, renders = served.edits, served.renders
    found = served.play(
        """
        import json, os, re, urllib.request
        from openai import OpenAI
        client = OpenAI(base_url=os.environ["BASE"], api_key=os.environ["KEY"], max_retries=0)
        models = [model.id for model in client.models.list()]
        history = [{"role": "user", "content": "generate a futuristic city at night"}]
        whole = client.chat.completions.create(model="reelchat", messages=history)
        history.append(whole.choices[0].message.model_dump(include={"role", "content"}))
        history.append({"role": "user", "content": "export it"})
        parts, usage, thoughts = [], None, []
        ask = dict(model="photo-generator", messages=history, stream=True, stream_options={"include_usage": True})
        for chunk in client.chat.completions.create(**ask):
            usage = chunk.usage or usage
            for choice in chunk.choices:
                parts.append(choice.delta.content or "")
                thoughts.append(getattr(choice.delta, "reasoning_content", None) or "")
        with client.chat.completions.stream(model="photo-generator", messages=history) as stream:
            again = stream.get_final_completion().choices[0].message.content
        link = re.search(r"\\]\\((http[^)]+)\\)", "".join(parts))[1]
        with urllib.request.urlopen(link) as file:
            head = file.read(12)
        same = again.split("](")[0] == "".join(parts).split("](")[0]  # the link itself is signed anew
        print(json.dumps({"models": models, "first": whole.choices[0].message.content, "tokens": usage.total_tokens,
            "film": head[4:8].decode(), "thoughts": "".join(thoughts), "same": same}))
        """
    )
    assert len(found["models"]) == 5  # type: ignore[arg-type]
    assert "Timeline (1 track): 1. Video: futuristic city at night (0-10s)" in str(found["first"])
    assert found["film"] == "ftyp" and found["same"] and found["tokens"]
    assert "Rendering…" in str(found["thoughts"])
    assert (served.edits - edits, served.renders - renders) == (1, 1)


def test_openai_gives_and_takes_files(served: Served) -> None:
    found = served.play(
        f"""
        import base64, json, os
        from openai import OpenAI, NotFoundError
        client = OpenAI(base_url=os.environ["BASE"], api_key=os.environ["KEY"], max_retries=0)
        data = base64.b64decode({PIXEL!r})
        made = client.files.create(file=("dot.png", data), purpose="user_data")
        listed = [one.id for one in client.files.list()]
        same = client.files.content(made.id).read() == data
        parts = [{{"type": "text", "text": "upload this"}}, {{"type": "file", "file": {{"file_id": made.id}}}}]
        answer = client.chat.completions.create(model="reelchat", messages=[{{"role": "user", "content": parts}}])
        gone = client.files.delete(made.id).deleted
        try:
            client.files.retrieve(made.id)
        except NotFoundError as error:
            code = error.code
        print(json.dumps({{"listed": made.id in listed, "same": same, "gone": gone, "code": code,
            "answer": answer.choices[0].message.content}}))
        """
    )
    assert (found["listed"], found["same"], found["gone"], found["code"]) == (True, True, True, "not_found")
    assert "dot.png" in str(found["answer"])


def test_openai_raises_the_error_that_fits(served: Served) -> None:
    found = served.play(
        """
        import json, os, threading
        import openai
        from openai import OpenAI
        client = OpenAI(base_url=os.environ["BASE"], api_key=os.environ["KEY"], max_retries=0)
        def raised(call):
            try:
                call()
            except openai.APIStatusError as error:
                return [type(error).__name__, error.status_code, error.code]
        said = [{"role": "user", "content": "status"}]
        chat = client.chat.completions.create
        stranger = client.with_options(api_key="sk-reel-wrong").chat.completions.create
        found = [raised(lambda: stranger(model="reelchat", messages=said)),
                 raised(lambda: chat(model="gpt-5", messages=said)),
                 raised(lambda: chat(model="reelchat", messages=[])),
                 raised(lambda: chat(model="reelchat", messages=said, n=3))]
        slow = chat(model="reelchat", stream=True, extra_body={"metadata": {"thread_id": "busy"}},
                    messages=[{"role": "user", "content": "generate a futuristic city at night"}])
        next(slow)
        same_thread = {"metadata": {"thread_id": "busy"}}
        found.append(raised(lambda: chat(model="reelchat", messages=said, extra_body=same_thread)))
        for _ in slow: pass
        print(json.dumps({"found": found}))
        """
    )
    assert found["found"] == [
        ["AuthenticationError", 401, "unauthorized"],
        ["NotFoundError", 404, "model_not_found"],
        ["BadRequestError", 400, "no_user_message"],
        ["BadRequestError", 400, "bad_request"],
        ["ConflictError", 409, "conversation_busy"],
    ]


def test_openai_retries_a_dropped_connection_and_nothing_happens_twice(served: Served) -> None:
    """A wire between them swallows the first answer; the client's own retry finds the turn."""
    edits = served.edits
    found = served.play(
        """
        import json, os, socket, threading
        from urllib.parse import urlsplit
        from openai import OpenAI
        base = urlsplit(os.environ["BASE"])
        wire = socket.create_server(("127.0.0.1", 0))
        calls = []
        def pump(source, target, keep):
            while piece := source.recv(65536):
                if not keep:  # The answer is there, and nobody gets it.
                    target.shutdown(socket.SHUT_RDWR)
                    return
                target.sendall(piece)
        def carry():
            while True:
                near, _ = wire.accept()
                far = socket.create_connection((base.hostname, base.port))
                calls.append(1)
                threading.Thread(target=pump, args=(near, far, True), daemon=True).start()
                threading.Thread(target=pump, args=(far, near, len(calls) > 1), daemon=True).start()
        threading.Thread(target=carry, daemon=True).start()
        url = f"http://127.0.0.1:{wire.getsockname()[1]}/v1"
        client = OpenAI(base_url=url, api_key=os.environ["KEY"], max_retries=2)
        said = [{"role": "user", "content": "make a video of a quiet forest in the morning"}]
        answer = client.chat.completions.create(model="reelchat", messages=said)
        print(json.dumps({"calls": len(calls), "answer": answer.choices[0].message.content}))
        """
    )
    assert found["calls"] == 2 and "Timeline" in str(found["answer"])
    assert served.edits - edits == 1


@needs("langchain_openai", "langchain-openai")
def test_langchain_invokes_streams_and_sends_a_picture(served: Served) -> None:
    found = served.play(
        f"""
        import json, os
        from langchain_core.messages import HumanMessage
        from langchain_openai import ChatOpenAI
        chat = ChatOpenAI(base_url=os.environ["BASE"], api_key=os.environ["KEY"], model="reelchat")
        said = [HumanMessage("generate a futuristic city at night")]
        first = chat.invoke(said)
        said += [first, HumanMessage("status")]
        second = "".join(chunk.text for chunk in chat.stream(said))
        url = "data:image/png;base64,{PIXEL}"
        parts = [{{"type": "text", "text": "upload this"}}, {{"type": "image_url", "image_url": {{"url": url}}}}]
        third = chat.invoke([HumanMessage(parts)])
        tokens = first.usage_metadata["total_tokens"]
        print(json.dumps({{"first": first.text, "second": second, "third": third.text, "tokens": tokens}}))
        """
    )
    assert "futuristic city" in str(found["first"]) and found["tokens"]
    assert "Timeline (1 track)" in str(found["second"])
    assert "file.png" in str(found["third"])


@needs("llm", "llm")
def test_llm_goes_on_where_it_was(served: Served) -> None:
    home = served.folder / "llm"
    home.mkdir()
    models = f"- model_id: reel\n  model_name: reelchat\n  api_base: {served.url}/v1\n  api_key_name: reel\n"
    (home / "extra-openai-models.yaml").write_text(models, encoding="utf-8")
    (home / "keys.json").write_text(json.dumps({"reel": served.key}), encoding="utf-8")
    edits, renders = served.edits, served.renders
    script = """
        import json, subprocess, sys
        def llm(*arguments):
            command = [sys.executable, "-m", "llm", "prompt", *arguments]
            return subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout
        first = llm("-m", "reel", "generate a futuristic city at night")
        second = llm("--continue", "export it")
        print(json.dumps({"first": first, "second": second}))
    """
    found = served.play(script, LLM_USER_PATH=str(home))
    assert "Timeline (1 track)" in str(found["first"])
    assert f"]({served.url}/files/" in str(found["second"])
    assert (served.edits - edits, served.renders - renders) == (1, 1)
    shutil.rmtree(home)
