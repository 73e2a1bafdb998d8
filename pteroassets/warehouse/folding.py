"""Move the samples of earlier versions into narrow rows, in steps that can be killed (decision 21)."""

from __future__ import annotations

from psycopg import sql

from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import ensure_months, lock_table_for_load
from pteroassets.warehouse.moving import Move
from pteroassets.warehouse.samples import SAMPLE_COLUMNS, ManyLoadsError

STEP_ROWS = 200_000
_VIEW = "raw_pterodactyl.utilization_samples"
_UNMOVED = "raw_pterodactyl.utilization_samples_unmoved"


def fold_samples(connection: Connection, source: sql.Composable) -> int:
    """Add the rows of the relation *source*, which has the columns of the view, and return their number.

    None of them may be there already.

    Raises:
        ManyLoadsError: A pass has more than 64 loads, or does not begin at a multiple of ten seconds.
    """
    months = connection.execute(
        sql.SQL("select distinct date_trunc('month', pass_at, 'UTC') from {}").format(source)
    ).fetchall()
    ensure_months(connection, [month for (month,) in months])
    for statement in _FOLD:
        connection.execute(sql.SQL(statement).format(source=source))
    ((wrong,),) = connection.execute(
        "select min(pass_at) from folded_passes where raw_pterodactyl.pass_time(pass_number) <> pass_at"
    ).fetchall()
    if wrong is not None:
        raise ManyLoadsError(
            f"the pass of {wrong.isoformat()} has more than 64 loads, or is not at a multiple of ten seconds"
        )
    count = connection.execute(sql.SQL(_FOLD_MEASURES).format(source=source)).rowcount
    connection.execute("drop table folded_passes")
    return count


def move_step(connection: Connection, _after: object, step_rows: int = STEP_ROWS) -> tuple[int, None] | None:
    """Move the oldest passes, of at most *step_rows* or one pass; when none is left, let the view do without."""
    lock_table_for_load(connection, _VIEW)
    connection.execute(
        f"""
        create temporary table moving on commit drop as
        with
        beyond as (select pass_at from {_UNMOVED} order by pass_at offset {step_rows} limit 1),
        first as (select min(pass_at) as pass_at from {_UNMOVED}),
        gone as (
            delete from {_UNMOVED}
            where pass_at <= (select pass_at from first)
                or pass_at < coalesce((select pass_at from beyond), 'infinity')
            returning {", ".join(SAMPLE_COLUMNS)}, _load_id, _loaded_at
        )
        select * from gone
        """
    )
    connection.execute("analyze moving")
    if rows := fold_samples(connection, sql.Identifier("moving")):
        return rows, None
    for (query,) in connection.execute(
        "select pg_get_viewdef(oid) from pg_class where oid = to_regclass('raw_pterodactyl.samples_moved')"
    ).fetchall():
        connection.execute(f"create or replace view {_VIEW} as {query}")
        connection.execute("drop view raw_pterodactyl.samples_moved")
    # a vacuum would do it, sooner or later
    connection.execute(
        "select brin_summarize_new_values(indexes.relid) "
        "from pg_partition_tree('raw_pterodactyl.sample_measures_time') as indexes where isleaf"
    )
    return None


SAMPLES_MOVE = Move(source=_UNMOVED, targets=("raw_pterodactyl.sample_measures",), step=move_step)


_WINDOW = "floor(extract(epoch from sampled_at - pass_at) * 1000000 / 2147483647)"
_FOLD = (
    """
    insert into raw_pterodactyl.sample_answers (server_uuid, node_name, outcome, state, is_suspect, reason)
    select distinct server_uuid, node_name, outcome, state, is_suspect, reason
    from {source} as arrived
    where not exists (
        select from raw_pterodactyl.sample_answers as answers
        where answers.server_uuid = arrived.server_uuid and answers.outcome = arrived.outcome
            and answers.node_name is not distinct from arrived.node_name
            and answers.state is not distinct from arrived.state
            and answers.is_suspect = arrived.is_suspect
            and answers.reason is not distinct from arrived.reason
    )
    """,
    # the number of a pass: its step since 2020, times 64, and which of its loads it is
    f"""
    create temporary table folded_passes on commit drop as
    with
    loads as (
        select distinct pass_at, interval_seconds, _load_id, _loaded_at, {_WINDOW}::bigint as window_number,
            (floor((extract(epoch from pass_at) - 2039611520) / 10) * 64)::integer as slot
        from {{source}}
    )
    select loads.*,
        (
            coalesce(
                (
                    select max(passes.pass_number) + 1 from raw_pterodactyl.sample_passes as passes
                    where passes.pass_number between loads.slot and loads.slot + 63
                ),
                loads.slot
            )
            + row_number() over (partition by slot order by _loaded_at, _load_id, interval_seconds, window_number) - 1
        )::integer as pass_number
    from loads
    """,
    """
    insert into raw_pterodactyl.sample_passes (pass_number, interval_seconds, sampled_from, _load_id, _loaded_at)
    select pass_number, interval_seconds, pass_at + window_number * 2147483647 * interval '1 microsecond',
        _load_id, _loaded_at
    from folded_passes
    """,
)
_FOLD_MEASURES = f"""
    insert into raw_pterodactyl.sample_measures (
        memory_bytes, disk_bytes, network_rx_bytes, network_tx_bytes, uptime_milliseconds, pass_number, answer_id,
        cpu_thousandths, sampled_microseconds
    )
    select arrived.memory_bytes, arrived.disk_bytes, arrived.network_rx_bytes, arrived.network_tx_bytes,
        arrived.uptime_milliseconds, passes.pass_number, answers.answer_id,
        round(arrived.cpu_percent::numeric * 1000)::integer,
        extract(epoch from arrived.sampled_at - arrived.pass_at) * 1000000 - passes.window_number * 2147483647
    from {{source}} as arrived
    inner join folded_passes as passes
        on passes.pass_at = arrived.pass_at and passes.interval_seconds = arrived.interval_seconds
        and passes._load_id = arrived._load_id and passes._loaded_at = arrived._loaded_at
        and passes.window_number = {_WINDOW.replace("sampled_at - pass_at", "arrived.sampled_at - arrived.pass_at")}
    inner join raw_pterodactyl.sample_answers as answers
        on answers.server_uuid = arrived.server_uuid and answers.outcome = arrived.outcome
        and answers.node_name is not distinct from arrived.node_name
        and answers.state is not distinct from arrived.state
        and answers.is_suspect = arrived.is_suspect
        and answers.reason is not distinct from arrived.reason
    order by passes.pass_number, answers.answer_id
"""
