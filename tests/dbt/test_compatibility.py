"""What STIV's users built on its tables runs on the views of that name."""

from __future__ import annotations

import pytest

from pteroassets.warehouse.connection import Connection

from .world import SERVERS

pytestmark = pytest.mark.postgres

TIMES = {"created_at": "timestamp with time zone", "updated_at": "timestamp with time zone"}
ACTIVE = {"is_active": "boolean"}
STATISTICS = ("mean", "std", "min", "max")

EXPECTED: dict[str, dict[str, str]] = {
    "pterodactyl.locations": {"id": "bigint", "short": "text", "long": "text"} | TIMES | ACTIVE,
    "pterodactyl.nests": {"id": "bigint"}
    | dict.fromkeys(("uuid", "name", "description", "author"), "text")
    | TIMES
    | ACTIVE,
    "pterodactyl.eggs": {"id": "bigint"}
    | dict.fromkeys(("uuid", "name", "description"), "text")
    | {"nest_id": "bigint", "author": "text"}
    | TIMES
    | ACTIVE,
    "pterodactyl.nodes": {"id": "bigint", "uuid": "text", "public": "boolean", "name": "text", "description": "text"}
    | {"location_id": "bigint", "fqdn": "text", "scheme": "text"}
    | {"behind_proxy": "boolean", "maintenance_mode": "boolean"}
    | dict.fromkeys(("memory", "disk", "allocated_memory", "allocated_disk", "upload_size"), "bigint")
    | {"daemon_listen": "bigint", "daemon_sftp": "bigint", "daemon_base": "text"}
    | TIMES
    | ACTIVE,
    "pterodactyl.allocations": {"id": "bigint", "port": "integer", "assigned": "boolean", "node_id": "bigint"} | ACTIVE,
    "pterodactyl.servers": {"id": "bigint"}
    | dict.fromkeys(("uuid", "identifier", "name", "description"), "text")
    | dict.fromkeys(("limit_memory", "limit_disk", "limit_io", "limit_cpu"), "bigint")
    | {"limit_oom_disable": "boolean"}
    | dict.fromkeys(("limit_database", "limit_allocation", "limit_backup"), "bigint")
    | dict.fromkeys(("client_id", "node_id", "allocation_id", "nest_id", "egg_id"), "bigint")
    | TIMES
    | ACTIVE,
    "pterodactyl.clients": {"id": "bigint"}
    | dict.fromkeys(("uuid", "client_name", "email", "first_name", "last_name"), "text")
    | {"admin": "boolean", "2fa": "boolean"}
    | TIMES
    | ACTIVE,
    "pterodactyl.clients_server": {"id": "bigint", "client_id": "bigint", "server_id": "bigint"} | TIMES | ACTIVE,
    "pterodactyl.last_update": {"date": "timestamp with time zone"},
    "pterodactyl.utilization": {"server_identifier": "text", "status": "boolean"}
    | {f"ram_{name}": "numeric(9,2)" for name in STATISTICS}
    | {f"cpu_{name}": "numeric(7,2)" for name in STATISTICS}
    | {f"disk_{name}": "numeric(10,2)" for name in STATISTICS}
    | {"capture_time": "timestamp with time zone"},
    "minecraft.activity": {
        "id": "integer",
        "server_identifier": "character varying(8)",
        "date": "date",
        "time": "time without time zone",
        "information": "text",
        "user": "character varying(50)",
        "activity": "character varying(6)",
    },
    "minecraft.last_log_date": {"server_identifier": "character varying(8)", "last_date": "date"},
    "minecraft.activity_analysis": {"identifier": "character varying(8)", "name": "text"}
    | dict.fromkeys(("total_users", "total_activity", "last_week_active_users", "last_week_activity"), "bigint")
    | dict.fromkeys(("last_month_active_users", "last_month_activity"), "bigint")
    | {"last_activity_date": "date"},
}


@pytest.mark.parametrize("view", EXPECTED)
def test_a_view_has_stivs_columns_in_stivs_types_and_order(built: Connection, view: str) -> None:
    rows = built.execute(
        """
        select attname, format_type(atttypid, atttypmod) from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
        """,
        (view,),
    ).fetchall()
    assert rows == list(EXPECTED[view].items())


@pytest.mark.parametrize("view", EXPECTED)
def test_a_view_has_rows(built: Connection, view: str) -> None:
    row = built.execute(f"select count(*) from {view}").fetchone()
    assert row is not None
    assert row[0] > 0


def test_a_query_over_servers_owners_and_their_use_runs_unchanged(built: Connection) -> None:
    rows = built.execute(
        """
        select s.identifier, s.name, c.client_name, n.name, e.name, l.short, a.port, s.limit_backup,
            round(avg(u.cpu_mean), 2), max(u.ram_max)
        from pterodactyl.servers s
        join pterodactyl.clients c on c.id = s.client_id
        join pterodactyl.nodes n on n.id = s.node_id
        join pterodactyl.locations l on l.id = n.location_id
        join pterodactyl.eggs e on e.id = s.egg_id
        join pterodactyl.nests t on t.id = e.nest_id
        join pterodactyl.allocations a on a.id = s.allocation_id
        join pterodactyl.utilization u on u.server_identifier = s.identifier
        where s.is_active and u.capture_time >= '2026-10-24' and u.status
        group by 1, 2, 3, 4, 5, 6, 7, 8 order by 1
        """
    ).fetchall()
    assert [row[:8] for row in rows] == [
        (SERVERS[name][:8], f"Server {number}", "user1", "one", "Paper", "eu", 25564 + number, 3)
        for number, name in enumerate("abc", start=1)
    ]
    assert all(row[8] > 0 and row[9] > 0 for row in rows)


def test_use_of_an_offline_server_is_null_and_not_zero(built: Connection) -> None:
    rows = built.execute(
        "select distinct status, ram_mean, cpu_max, disk_mean from pterodactyl.utilization "
        "where server_identifier = %s and capture_time between '2026-10-24 11:00Z' and '2026-10-25 05:00Z'",
        (SERVERS["c"][:8],),
    ).fetchall()
    assert rows == [(False, None, None, 100)]


def test_activity_is_counted_per_server_without_the_server_itself(built: Connection) -> None:
    rows = built.execute(
        'select activity, count(*), count(distinct "user") from minecraft.activity '
        "where server_identifier = %s group by activity order by activity",
        (SERVERS["a"][:8],),
    ).fetchall()
    assert rows == [("action", 1, 1), ("login", 41, 5), ("logout", 31, 6), ("start", 1, 1)]
    analysis = built.execute(
        "select name, total_users, total_activity, last_week_active_users, last_activity_date "
        "from minecraft.activity_analysis where identifier = %s",
        (SERVERS["a"][:8],),
    ).fetchall()
    newest = built.execute(
        "select last_date from minecraft.last_log_date where server_identifier = %s", (SERVERS["a"][:8],)
    ).fetchone()
    assert newest is not None
    assert analysis == [("Server 1", 6, 74, 6, newest[0])]
