"""What whoever runs a host can do to it from outside: keys, usage, a user's data, and what is too old."""

from __future__ import annotations

import asyncio
import shutil
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agent.errors import AgentError, Busy, SettingsError
from agent.house import House, open_house, thread_id_of
from agent.journal import Journal, label
from agent.logs import redacted
from agent.serve.keys import RESERVED, Key, Keys, fit_user
from agent.serve.options import Options
from agent.serve.records import Records, users
from agent.serve.retention import prune
from agent.serve.tally import days_of
from agent.serve.vault import Vault
from agent.settings import Settings
from agent.skills import Skill
from agent.summarizer import file_size
from prompts import say

__all__ = ["Office", "manage"]

_USERS = ("reelchat-host", "users")


async def manage(settings: Settings, skill: Skill, action: str, *values: Any) -> int:
    """Carries out one action on what `settings` keep. Returns the exit code. Raises SettingsError."""
    opened = False
    try:
        async with open_house(settings, skill) as house:
            opened = True
            done: int = await getattr(Office(house), action)(*values)
            return done
    except AgentError:
        raise
    except Exception as error:
        if opened:
            raise
        raise SettingsError(redacted(str(error)).strip().splitlines()[0][:300], reason="unreachable") from error


@dataclass(frozen=True, slots=True)
class Office:
    """The actions. What is asked for goes to standard output, everything else to standard error."""

    house: House

    async def add_key(self, name: str, user: str, gateway: bool) -> int:
        """Makes a key and prints it, this once."""
        if not fit_user(user):
            return self._fail("bad_user", user=user)
        if not name.strip() or not name.isprintable() or any(one.name == name for one in await self._keys.all()):
            return self._fail("name_taken", name=name)
        secret = await self._keys.add(name, user, self.house.clock.now().isoformat(), gateway=gateway)
        self._tell("gateway_added" if gateway else "added", name=name, user=user)
        _print(secret)
        return 0

    async def list_keys(self) -> int:
        """All keys, without what nobody can know: the keys themselves."""
        found = await self._keys.all()
        if not found:
            self._tell("no_keys")
        for key in found:
            _print(self._line(key))
        return 0

    async def revoke_key(self, name: str) -> int:
        """Deletes the keys of that name."""
        gone = await self._keys.revoke(name)
        if not gone:
            return self._fail("no_such_key", name=name)
        self._tell("revoked", name=name, n=gone)
        if not await self._keys.all():
            self._tell("last_revoked")
        return 0

    async def show_usage(self, user: str | None, days: int | None) -> int:
        """What each user had: turns and credits of these days, and what is there now."""
        names = [user] if user else await self._everybody()
        since = "" if days is None else (self.house.clock.now() - timedelta(days=days - 1)).date().isoformat()
        if not names:
            self._tell("nobody")
        for name in names:
            rows = await days_of(self.house.keep.store, name, since)
            files = await asyncio.to_thread(Vault(self.house.files(self.house.folder(name).name)).all)
            conversations = await Records(self.house.keep.store, name).conversations()
            values = {
                "user": name,
                "turns": sum(row.turns for row in rows),
                "credits": f"{sum(row.credits for row in rows):g}",
                "conversations": len(conversations),
                "files": len(files),
                "size": file_size(sum(one.size for one in files)),
                "last": conversations[0].at[:16].replace("T", " ") if conversations else "-",
            }
            _print(say(self._lang, "admin.usage", **values))
        return 0

    async def delete_user(self, user: str) -> int:
        """Deletes everything of a user, while nothing of theirs goes on."""
        if user in RESERVED or (user not in await self._everybody() and not self.house.folder(user).exists()):
            return self._fail("no_such_user", user=user)
        store, conversations = self.house.keep.store, await Records(self.house.keep.store, user).conversations()
        threads = [thread_id_of(user, one.thread) for one in conversations]
        async with AsyncExitStack() as held:
            try:
                for name in [*threads, *(job.id for job in await Journal(store, user).open_jobs())]:
                    await held.enter_async_context(self.house.keep.leases.hold(name))
            except Busy:
                return self._fail("user_busy", user=user)
            keys = [key for key in await self._keys.all() if key.user == user]
            for key in keys:
                await self._keys.revoke(key.digest[:12])
            for thread_id in threads:
                await self.house.keep.forget(thread_id)
            await self._empty(("reelchat", label(user)))
            folder = self.house.folder(user)
            await store.adelete(_USERS, folder.name)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        self._tell("deleted", user=user, conversations=len(threads), keys=len(keys))
        if others := sum(one.startswith(f"{user}/") for one in await self._everybody()):
            self._tell("gateway_users_left", user=user, n=others)
        return 0

    async def prune_now(self, options: Options) -> int:
        """Deletes what is too old."""
        total = [0, 0, 0]
        while True:
            try:
                done = await prune(self.house, options)
            except Busy:
                return self._fail("prune_busy")
            total = [a + b for a, b in zip(total, (done.conversations, done.files, done.jobs), strict=True)]
            if not done.more:
                break
        self._tell("pruned", conversations=total[0], files=total[1], jobs=total[2])
        return 0

    @property
    def _keys(self) -> Keys:
        return Keys(self.house.keep.store)

    @property
    def _lang(self) -> Any:
        return self.house.settings.lang

    async def _everybody(self) -> list[str]:
        known = (await users(self.house.keep.store)).values()
        return sorted({*known, *(key.user for key in await self._keys.all())})

    async def _empty(self, root: tuple[str, ...]) -> None:
        """Deletes every record below a namespace."""
        store = self.house.keep.store
        while page := [item for item in await store.asearch(root, limit=100) if item.namespace[: len(root)] == root]:
            for item in page:
                await store.adelete(item.namespace, item.key)

    def _line(self, key: Key) -> str:
        kind = say(self._lang, "admin.gateway" if key.gateway else "admin.plain")
        at = key.at[:16].replace("T", " ")
        return say(self._lang, "admin.key", name=key.name, user=key.user, kind=kind, at=at, digest=key.digest[:12])

    def _tell(self, key: str, **values: object) -> None:
        sys.stderr.write(say(self._lang, f"admin.{key}", **values) + "\n")

    def _fail(self, key: str, **values: object) -> int:
        self._tell(key, **values)
        return 1


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
