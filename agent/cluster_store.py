"""Records in PostgreSQL: LangGraph's own store and its tables, asked in fewer and plainer statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langgraph.store.base import GetOp, Item, PutOp
from langgraph.store.postgres.aio import AsyncPostgresStore
from psycopg import AsyncCursor
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

__all__ = ["SharedStore"]

# Records as one JSON value: psycopg writes lists one by one in Python. Each by its key, however few the server expects.
_GET = (
    "SELECT found.* FROM jsonb_to_recordset(%s) AS wanted (prefix text, key text), LATERAL"
    " (SELECT prefix, key, value, created_at, updated_at FROM store"
    " WHERE store.prefix = wanted.prefix AND store.key = wanted.key LIMIT 1) AS found"
)
_PUT = (
    "INSERT INTO store (prefix, key, value, created_at, updated_at)"
    " SELECT prefix, key, value, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP"
    " FROM jsonb_to_recordset(%s) AS given (prefix text, key text, value jsonb)"
    " ON CONFLICT (prefix, key) DO UPDATE SET value = EXCLUDED.value, updated_at = CURRENT_TIMESTAMP"
)


class SharedStore(AsyncPostgresStore):
    """The library's store without what we have no use for: its reads renew times to live, in statements that go
    through every row of a namespace, one for each namespace; what it writes is a new statement for every number of
    records, which the server has to learn each time; and its pipelines wait for each answer all the same.
    Where a later version asks in another way, these methods are not called and it is only slower.
    """

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        super().__init__(pool, ttl={"refresh_on_read": False})

    def _cursor(self, *, pipeline: bool = False) -> Any:
        return super()._cursor()

    def _prepare_batch_PUT_queries(self, put_ops: Sequence[tuple[int, PutOp]]) -> tuple[list[tuple[str, Any]], None]:
        last = {(".".join(op.namespace), op.key): (at, op) for at, op in put_ops}
        queries, _ = super()._prepare_batch_PUT_queries([one for one in last.values() if one[1].value is None])
        given = [
            {"prefix": prefix, "key": key, "value": op.value}
            for (prefix, key), (_, op) in last.items()
            if op.value is not None
        ]
        return [*queries, (_PUT, (Jsonb(given),))] if given else queries, None

    async def _batch_get_ops(
        self, get_ops: Sequence[tuple[int, GetOp]], results: list[Any], cur: AsyncCursor[dict[str, Any]]
    ) -> None:
        wanted = [(".".join(op.namespace), op.key) for _, op in get_ops]
        await cur.execute(_GET, (Jsonb([{"prefix": prefix, "key": key} for prefix, key in wanted]),))
        found = {(row.pop("prefix"), row["key"]): row for row in await cur.fetchall()}
        for (index, op), at in zip(get_ops, wanted, strict=True):
            results[index] = Item(namespace=op.namespace, **found[at]) if at in found else None
