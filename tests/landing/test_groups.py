"""Groups of servers: each server is in one, and work on two groups does not wait while work on all does."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.landing.minecraft.collection import LOGS
from pteroassets.landing.servers import BUCKETS, EVERYBODY, ServerGroup
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect


@given(st.uuids(), st.integers(1, BUCKETS))
def test_each_server_is_in_exactly_one_group(server_uuid: uuid.UUID, of: int) -> None:
    assert sum(ServerGroup(number, of).has(server_uuid) for number in range(of)) == 1


@given(st.uuids(), st.uuids())
def test_the_group_of_a_server_holds_it_and_those_with_its_first_byte(one: uuid.UUID, other: uuid.UUID) -> None:
    group = ServerGroup.of_server(one)
    assert group.has(one)
    assert group.has(other) is (one.bytes[0] == other.bytes[0])


@pytest.mark.parametrize(("number", "of"), [(0, 0), (2, 2), (-1, 2), (0, BUCKETS + 1)])
def test_a_group_that_is_none_is_refused(number: int, of: int) -> None:
    with pytest.raises(ValueError, match="there is no group"):
        ServerGroup(number, of)


@pytest.mark.postgres
def test_postgres_finds_the_same_servers_in_a_group(warehouse: Connection) -> None:
    servers = [uuid.UUID(int=number << 120 | number) for number in range(BUCKETS)]
    for group in (EVERYBODY, *(ServerGroup(number, 7) for number in range(7))):
        found = warehouse.execute(
            f"select server from unnest(%s::uuid[]) as servers (server) where {group.condition('server')}", (servers,)
        ).fetchall()
        assert {server for (server,) in found} == {server for server in servers if group.has(server)}


@contextmanager
def held(settings: ConnectionSettings, group: ServerGroup) -> Iterator[None]:
    with connect(settings, autocommit=True) as connection, LOGS.one_at_a_time(connection, group):
        yield


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("first", "second", "waits"),
    [
        (ServerGroup(0, 2), ServerGroup(1, 2), False),
        (ServerGroup(0, 2), ServerGroup(0, 2), True),
        (ServerGroup(1, 2), ServerGroup(2, 3), True),
        (EVERYBODY, ServerGroup(1, 2), True),
        (ServerGroup(1, 2), ServerGroup.of_server(uuid.UUID(int=3 << 120)), True),
        (ServerGroup(1, 2), ServerGroup.of_server(uuid.UUID(int=4 << 120)), False),
        (ServerGroup(1, 2), EVERYBODY, True),
    ],
)
def test_who_waits_for_whom(
    warehouse_settings: ConnectionSettings, *, first: ServerGroup, second: ServerGroup, waits: bool
) -> None:
    came = threading.Event()

    def come() -> None:
        with held(warehouse_settings, second):
            came.set()

    with held(warehouse_settings, first):
        other = threading.Thread(target=come)
        other.start()
        assert came.wait(0.5 if waits else 10) is not waits
    assert came.wait(10)
    other.join()
