from __future__ import annotations

import threading
from pathlib import Path

import duckdb
import pytest

from simulator.errors import UserError
from simulator.site.pool import AT_MOST, StorePool
from simulator.site.store import Store
from tests.support.omop import write_omop


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    home = tmp_path_factory.mktemp("pool")
    return [write_omop(home / name, {}) for name in "abc"]


def is_open(store: Store) -> bool:
    try:
        store.numpy("SELECT 1 AS n")
    except duckdb.ConnectionException:
        return False
    return True


def lent(pool: StorePool, folder: Path) -> Store:
    with pool.lend(folder) as store:
        return store


def test_a_store_that_comes_back_is_lent_again(folders: list[Path]) -> None:
    pool = StorePool()
    first = lent(pool, folders[0])
    assert is_open(first)
    assert lent(pool, folders[0]) is first
    pool.close()
    assert not is_open(first)


def test_one_store_is_never_lent_to_two(folders: list[Path]) -> None:
    pool = StorePool()
    with pool.lend(folders[0]) as one, pool.lend(folders[0]) as two:
        assert one is not two
    # Both came back; one place is enough.
    assert [is_open(one), is_open(two)].count(True) == 1
    pool.close()


def test_the_least_recently_used_is_closed_first(folders: list[Path]) -> None:
    a, b, c = folders
    pool = StorePool(at_most=2)
    first, second = lent(pool, a), lent(pool, b)
    lent(pool, a)
    third = lent(pool, c)
    assert [is_open(store) for store in (first, second, third)] == [True, False, True]
    pool.close()


def test_a_store_that_failed_is_closed(folders: list[Path]) -> None:
    pool = StorePool()
    kept: list[Store] = []

    def fail() -> None:
        with pool.lend(folders[0]) as store:
            kept.append(store)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not is_open(kept[0])
    assert lent(pool, folders[0]) is not kept[0]
    pool.close()


def test_a_missing_database_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no database"), StorePool().lend(tmp_path):
        pass


def test_sixteen_stay_open_at_most() -> None:
    assert AT_MOST == 16


def test_many_threads_share_a_pool(folders: list[Path]) -> None:
    pool, wrong = StorePool(at_most=1), []

    def work(place: int) -> None:
        for turn in range(20):
            with pool.lend(folders[(place + turn) % 3]) as store:
                if store.numpy("SELECT 7 AS n")["n"].tolist() != [7]:
                    wrong.append(place)

    workers = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []
    pool.close()
