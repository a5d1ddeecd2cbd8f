"""What survives a process, and what two processes on one folder may do."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage_studio import HandClock

from studio.accounts import Accounts
from studio.edits import Asset
from studio.store import Session, Store
from studio.tracks import Draft


def opened(folder: Path, clock: HandClock) -> tuple[Store, Accounts]:
    store = Store(folder, clock=clock)
    return store, Accounts(store)


def begun(store: Store, accounts: Accounts) -> Session:
    grant = accounts.grant("client")
    assert grant is not None
    return store.create_session(grant.account, "en")


def draft(name: str) -> Draft:
    return {"m": {"title": name}, "t": []}


def save(store: Store, session: str, value: Draft | None, *, back: bool = False) -> None:
    with store.write() as db:
        store.save(db, session, value, back=back)


def test_undo_gives_back_each_draft_in_turn(tmp_path: Path) -> None:
    store, accounts = opened(tmp_path, HandClock())
    session = begun(store, accounts)
    for name in ("one", "two"):
        save(store, session.id, draft(name))
    assert store.previous(session.id) == draft("one")
    save(store, session.id, store.previous(session.id), back=True)
    assert store.previous(session.id) == session.draft
    save(store, session.id, session.draft, back=True)
    assert store.previous(session.id) is None
    store.close()


def test_everything_is_there_for_the_next_process(tmp_path: Path) -> None:
    clock = HandClock()
    store, accounts = opened(tmp_path, clock)
    session = begun(store, accounts)
    asset = Asset("md_1", "image", "夜.jpg", width=4)
    with store.write() as db:
        store.save(db, session.id, draft("x"), assets=[asset], told=True)
        accounts.charge(db, session.account, 5, None)
    other, others = opened(tmp_path, clock)
    found = other.session(session.id, session.account)
    assert found is not None and found.draft == draft("x") and found.told
    assert other.assets(session.id) == [asset] and other.secret == store.secret
    assert others.balance(session.account) == (95, 0, 95)
    store.close()
    other.close()


def test_a_transaction_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    store, accounts = opened(tmp_path, HandClock())
    session = begun(store, accounts)
    with pytest.raises(RuntimeError), store.write() as db:
        store.save(db, session.id, draft("x"))
        accounts.charge(db, session.account, 5, None)
        raise RuntimeError
    assert store.session(session.id, session.account) == session
    assert accounts.balance(session.account).total == 100
    store.close()


def test_credits_held_by_a_process_that_died_are_free_after_the_lease(tmp_path: Path) -> None:
    clock = HandClock()
    store, accounts = opened(tmp_path, clock)
    account = begun(store, accounts).account
    hold = accounts.hold(account, 5)
    assert hold and accounts.balance(account) == (95, 5, 100)
    clock.jump(9)
    accounts.renew(hold)
    clock.jump(9)
    assert accounts.balance(account) == (95, 5, 100)
    clock.jump(2)
    assert accounts.balance(account) == (100, 0, 100)
    store.close()


def test_a_session_is_one_holder_s_until_it_lets_go_or_its_lease_runs_out(tmp_path: Path) -> None:
    clock = HandClock()
    store, accounts = opened(tmp_path, clock)
    other = Store(tmp_path, clock=clock)
    session = begun(store, accounts).id
    assert store.lease(session, "me") and not other.lease(session, "you")
    store.release(session, "me")
    assert other.lease(session, "you") and not store.lease(session, "me")
    clock.jump(10)
    assert store.lease(session, "me")
    store.close()
    other.close()


def test_one_client_is_one_account_and_old_tokens_go_on(tmp_path: Path) -> None:
    store, accounts = opened(tmp_path, HandClock())
    first, second = accounts.grant("client"), accounts.grant("client")
    assert first and second and first.account == second.account and first.token != second.token
    assert accounts.who(first.token) == accounts.who(second.token) == first.account
    store.close()


def test_a_store_in_memory_touches_no_disk(tmp_path: Path) -> None:
    store = Store(tmp_path / "none", memory=True, clock=HandClock())
    begun(store, Accounts(store))
    assert not (tmp_path / "none").exists()
    store.close()
