"""What several processes share where one machine is not enough: PostgreSQL for what is kept, Redis for who writes.

Imported only where a database or a Redis is set: neither client is part of a plain installation.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from hashlib import sha256
from typing import Any
from weakref import WeakKeyDictionary

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.store.postgres.aio import AsyncPostgresStore
from psycopg import AsyncConnection, Error, OperationalError
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agent.cluster_store import SharedStore
from agent.errors import Busy
from agent.graph import build
from agent.keeping import Keeping
from agent.lease import Leases
from agent.settings import Settings

__all__ = ["PostgresLeases", "RedisLeases", "open_redis", "open_shared"]

log = logging.getLogger("reelchat.cluster")

POOL = 20
"""Connections of one process; a turn needs one for moments only."""
FRESH_S = 2.0
"""How long a connection counts as alive after it has answered."""
SETUP_LOCK = 0x7265656C
"""Held while tables are made: two processes that start at once would collide."""
LIFE_S, BEAT_S = 30.0, 10.0
"""How long a lease in Redis outlives its process, and how often a living one renews it."""
_ALIVE: dict[str, Any] = {"keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3}
_LOCK = "SELECT pg_try_advisory_lock(%s)"
_LOCK_OR_FREE = (
    "SELECT CASE WHEN lock THEN pg_try_advisory_lock(key) ELSE pg_advisory_unlock(key) END"
    " FROM unnest(%s::bigint[], %s::boolean[]) WITH ORDINALITY AS asked (key, lock, number) ORDER BY number"
)
_RENEW = "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('pexpire',KEYS[1],ARGV[2]) else return 0 end"
_FREE = "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end"


@asynccontextmanager
async def open_shared(settings: Settings) -> AsyncIterator[Keeping]:
    """Threads and journal in the database; leases in Redis where one is set, else in the database too."""
    assert settings.database
    url = settings.database.get_secret_value()
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(_open_pool(url))
        leases: Leases
        if settings.redis:
            leases = RedisLeases(await stack.enter_async_context(open_redis(settings.redis.get_secret_value())))
        else:
            leases = held = PostgresLeases(url)
            stack.push_async_callback(held.close)
        store = SharedStore(pool)

        async def prune(thread_id: str) -> None:
            await AsyncPostgresSaver(pool).aprune([thread_id], strategy="keep_latest")

        async def forget(thread_id: str) -> None:
            await AsyncPostgresSaver(pool).adelete_thread(thread_id)

        async def alive() -> None:
            async with pool.connection(timeout=5) as connection:
                await connection.execute("SELECT 1")

        yield Keeping(store, leases, lambda: build(AsyncPostgresSaver(pool), store), prune, forget, alive)


@asynccontextmanager
async def _open_pool(url: str) -> AsyncIterator[AsyncConnectionPool[AsyncConnection[dict[str, Any]]]]:
    """Connections to the database, in which all tables are there. Raises psycopg.Error where it can't be reached."""
    kwargs: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row, **_ALIVE}
    pool: AsyncConnectionPool[AsyncConnection[dict[str, Any]]] = AsyncConnectionPool(
        url, min_size=1, max_size=POOL, kwargs=kwargs, open=False, check=_looked_after()
    )
    async with await AsyncConnection.connect(url, autocommit=True, connect_timeout=10) as first:
        await _alone(first)
        await pool.open(wait=True, timeout=10)
        await AsyncPostgresSaver(pool).setup()
        await AsyncPostgresStore(pool).setup()
    try:
        yield pool
    finally:
        await pool.close()


def _looked_after() -> Callable[[AsyncConnection[Any]], Awaitable[None]]:
    """Finds out that a connection is dead before it is used, where it was not asked a moment ago."""
    asked: WeakKeyDictionary[AsyncConnection[Any], float] = WeakKeyDictionary()

    async def check(connection: AsyncConnection[Any]) -> None:
        now = time.monotonic()
        if now - asked.get(connection, -FRESH_S) >= FRESH_S:
            await AsyncConnectionPool.check_connection(connection)
            asked[connection] = now

    return check


async def _alone(connection: AsyncConnection[Any]) -> None:
    """Waits by asking again: to wait inside the server would hold up the very indexes that the other one makes."""
    while True:
        row = await (await connection.execute(_LOCK, (SETUP_LOCK,))).fetchone()
        if row and row[0]:
            return
        await asyncio.sleep(0.1)


@asynccontextmanager
async def open_redis(url: str) -> AsyncIterator[Redis]:
    """A client that has reached its server. Raises RedisError."""
    client = Redis.from_url(url, socket_timeout=10, socket_connect_timeout=10)
    try:
        await client.ping()
        yield client
    finally:
        await client.aclose()


class PostgresLeases:
    """Advisory locks of one connection: the server frees them in the moment the process dies.

    Turns that begin or end while the server is being asked are asked for together, next.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._wanted: set[str] = set()
        self._held: dict[int, asyncio.Task[Any]] = {}
        self._connection: AsyncConnection[Any] | None = None
        self._waiting: list[tuple[int, bool, asyncio.Future[bool]]] = []
        """Keys, whether each is to be locked or freed, and who waits for it."""
        self._asking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Holds `name`, or raises Busy at once. A holder that lost it to another is canceled: it must not write."""
        if name in self._wanted:  # The server would let the same connection have it twice.
            raise Busy(f"{name!r} is held")
        key = int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)
        holder = asyncio.current_task()
        assert holder
        self._wanted.add(name)
        try:
            if not await self._take(key):
                raise Busy(f"{name!r} is held elsewhere")
            self._held[key] = holder
            try:
                yield
            finally:
                del self._held[key]
                with suppress(Error):  # Where the connection is gone, so is the lock.
                    await asyncio.shield(self._ask(key, lock=False))
        finally:
            self._wanted.discard(name)

    async def close(self) -> None:
        """Frees everything."""
        if self._asking:
            await self._asking
        if self._connection:
            await self._connection.close()

    async def _take(self, key: int) -> bool:
        """Whether we have the lock now; whoever is canceled meanwhile leaves none behind."""
        asking = self._ask(key, lock=True)
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            with suppress(Error):
                if await asking:
                    await self._ask(key, lock=False)
            raise

    def _ask(self, key: int, *, lock: bool) -> asyncio.Future[bool]:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, lock, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all())
        return answer

    async def _ask_all(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, []
            keys, locks = [key for key, _, _ in asked], [lock for _, lock, _ in asked]
            try:
                told = await self._answers(keys, locks)
            except Exception as error:
                for _, _, answer in asked:
                    if not answer.done():
                        answer.set_exception(error)
            else:
                for (_, _, answer), done in zip(asked, told, strict=True):
                    if not answer.done():
                        answer.set_result(done)

    async def _answers(self, keys: list[int], locks: list[bool]) -> list[bool]:
        try:
            return await self._told(keys, locks)
        except OperationalError:
            if self._connection and not self._connection.closed:
                raise
        return await self._told(keys, locks)  # The connection was lost since it was last used.

    async def _told(self, keys: list[int], locks: list[bool]) -> list[bool]:
        if self._connection is None or self._connection.closed:
            await self._connect()
        assert self._connection
        given = [f"{{{','.join(map(str, column))}}}" for column in (keys, locks)]
        return [row[0] async for row in await self._connection.execute(_LOCK_OR_FREE, given)]

    async def _connect(self) -> None:
        """A new connection, which takes up what the lost one held."""
        self._connection = await AsyncConnection.connect(
            self._url, autocommit=True, prepare_threshold=0, connect_timeout=10, **_ALIVE
        )
        for key, holder in list(self._held.items()):
            row = await (await self._connection.execute(_LOCK, (key,))).fetchone()
            if not row or not row[0]:
                log.error("a lease was lost to another process")
                holder.cancel()


class RedisLeases:
    """Keys that live for half a minute and are renewed as long as their holder lives."""

    def __init__(self, client: Redis) -> None:
        self._redis = client

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Holds `name`, or raises Busy at once. A holder that lost it to another is canceled: it must not write."""
        key, mine = f"reelchat:lease:{name}", uuid.uuid4().hex
        if not await self._redis.set(key, mine, nx=True, px=int(LIFE_S * 1000)):
            raise Busy(f"{name!r} is held")
        holder = asyncio.current_task()
        assert holder
        beat = asyncio.create_task(self._renew(key, mine, holder))
        try:
            yield
        finally:
            beat.cancel()
            with suppress(RedisError):
                await asyncio.shield(self._call(_FREE, key, mine))

    async def _renew(self, key: str, mine: str, holder: asyncio.Task[Any]) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                kept = await self._call(_RENEW, key, mine, int(LIFE_S * 1000))
                kept = kept or await self._redis.set(key, mine, nx=True, px=int(LIFE_S * 1000))
            except RedisError:
                log.warning("the lease server can't be reached; the lease lasts %g s", LIFE_S)
                continue
            if not kept:
                log.error("a lease was lost to another process")
                holder.cancel()
                return

    async def _call(self, script: str, key: str, *values: Any) -> Any:
        return await self._redis.eval(script, 1, key, *values)
