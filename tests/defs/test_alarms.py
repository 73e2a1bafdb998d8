"""What the sensor of failures writes into the outbox, how often, and what it keeps to itself."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from pydantic import SecretStr

from pteroassets.defs.alarms import Alarms, failure_sensor
from pteroassets.defs.incidents import close_what_runs_again
from pteroassets.defs.queries import told_of_nodes, verdict
from pteroassets.landing.context import Landing
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection, ConnectionSettings

pytestmark = pytest.mark.postgres

PASSWORD = "correct horse battery staple"
KEY = "ptlc_" + "a" * 43
TARGETS = ("channel:alarm", "discord:1234")
UI = "https://dagster.example.com"
SENSOR = failure_sensor(secrets=[PASSWORD], settled_after=timedelta(0))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


class Sensor:
    """Ticks the sensor and keeps its cursor from one tick to the next, as the daemon does."""

    def __init__(
        self, instance: dg.DagsterInstance, warehouse: ConnectionSettings, targets: tuple[str, ...] = TARGETS
    ) -> None:
        self.instance = instance
        self.targets = targets
        self.landing = Landing(
            settings=Settings(
                _env_file=None,
                postgres_host=warehouse.host,
                postgres_port=warehouse.port,
                postgres_username=warehouse.username,
                postgres_password=SecretStr(warehouse.password),
                postgres_database=warehouse.database,
            )
        )
        self.cursor: str | None = None

    def tick(self) -> str:
        """Tick once and return what the tick says of itself."""
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor, definitions=CHECKED)
        result = SENSOR(context, alarms=Alarms(targets=self.targets, ui_url=UI), landing=self.landing)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        return str(result.skip_reason.skip_message if result.skip_reason else "")


@pytest.fixture
def sensor(instance: dg.DagsterInstance, warehouse_settings: ConnectionSettings) -> Sensor:
    return Sensor(instance, warehouse_settings)


def written(warehouse: Connection, target: str = TARGETS[0]) -> list[dict[str, Any]]:
    """The facts of the messages for one target, in the order in which they were written, with their keys."""
    rows = warehouse.execute("select key, body from ops.outbox where target = %s order by id", (target,))
    return [{"key": key, "text": body["text"], **body["facts"]} for key, body in rows]


@dg.op
def fail() -> None:
    raise RuntimeError(
        f"no connection to postgresql://postgres:{PASSWORD}@db.example.com/x for someone@example.com, key {KEY}, "
        f"password={PASSWORD}"
    )


@dg.job(executor_def=dg.in_process_executor)
def failing() -> None:
    fail()


@dg.asset
def table() -> None:
    pass


#: What a check of a pass found: one dead node, and no other fault.
ROWS: list[dict[str, Any]] = [{"outcome": "node_unreachable", "fails": True}]


class Verdict(dg.Config):
    passed: bool
    severity: str = "ERROR"


@dg.asset_check(asset=table, description="As many rows came as were announced.")
def rows_agree(config: Verdict) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=config.passed,
        severity=dg.AssetCheckSeverity[config.severity],
        metadata={
            "rows_read": 3,
            "rows_expected": 4,
            "remedy": "read the list again",
            "unread": dg.MetadataValue.json([{"scope": "nest:3", "reason": "page 1: no answer"}]),
            "offsets": dg.MetadataValue.json([{"server": "a", "zone_seconds": 0}, {"server": "b", "zone_seconds": 60}]),
            "last": dg.MetadataValue.null(),
        },
    )


@dg.asset_check(asset=table)
def told_elsewhere() -> dg.AssetCheckResult:
    return verdict(ROWS, "unread", **told_of_nodes(ROWS))


CHECKED = dg.Definitions([table], asset_checks=[rows_agree, told_elsewhere])


def let_a_run_fail(instance: dg.DagsterInstance, **tags: str) -> str:
    result = failing.execute_in_process(instance=instance, raise_on_error=False, tags=tags)
    return str(result.run_id)


def check(instance: dg.DagsterInstance, *, passed: bool, severity: str = "ERROR") -> str:
    config = {"ops": {"table_rows_agree": {"config": {"passed": passed, "severity": severity}}}}
    return str(dg.materialize([table, rows_agree], instance=instance, run_config=config).run_id)


def test_a_failed_run_is_one_message_a_target_with_its_error_and_a_link_and_without_any_secret(
    instance: dg.DagsterInstance, sensor: Sensor, warehouse: Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    run_id = let_a_run_fail(instance)
    capfd.readouterr()
    assert sensor.tick() == "failures reported: 1"
    assert sensor.tick() == "nothing failed"
    (message,) = written(warehouse)
    assert [message] == written(warehouse, TARGETS[1])
    assert message["key"] == f"run/{run_id}"
    assert (message["kind"], message["severity"], message["run_id"]) == ("run_failure", "ERROR", run_id)
    assert message["what"] == f"run {run_id} of job failing"
    assert message["link"] == f"{UI}/runs/{run_id}"
    assert message["message"].startswith("fail: RuntimeError: no connection to postgresql://")
    assert message["text"].endswith(message["link"])
    assert warehouse.execute("select distinct severity from ops.outbox").fetchall() == [("critical",)]
    logged = "".join(capfd.readouterr())
    assert f"run {run_id} of job failing failed: fail: RuntimeError" in logged
    stored = json.dumps(warehouse.execute("select body from ops.outbox").fetchall())
    for secret in (PASSWORD, "someone@example.com", KEY):
        assert secret not in stored
        assert secret not in logged


def test_a_check_of_whose_cause_an_incident_tells_is_no_news_of_its_own(
    instance: dg.DagsterInstance, sensor: Sensor, warehouse: Connection
) -> None:
    dg.materialize([table, told_elsewhere], instance=instance)
    assert sensor.tick() == "nothing failed"
    assert written(warehouse) == []
    assert warehouse.execute("select count(*) from ops.incidents").fetchone() == (0,)


@pytest.mark.parametrize(
    "rules",
    [
        '[[routes]]\ntargets = ["discord:1"]\nkinds = ["server_crashed"]',
        "[rules.node_down]\nenabled = false",
        "no TOML",
    ],
)
def test_a_check_is_told_where_the_rules_tell_nobody_of_its_cause(
    instance: dg.DagsterInstance, sensor: Sensor, tmp_path: Path, rules: str
) -> None:
    (tmp_path / "rules.toml").write_text(rules)
    set_to = {"pteroassets_incident_rules": tmp_path / "rules.toml", "pteroassets_discord_token": SecretStr("a token")}
    settings = sensor.landing.settings.model_copy(update=set_to)
    sensor.landing = replace(sensor.landing, settings=settings)
    dg.materialize([table, told_elsewhere], instance=instance)
    assert sensor.tick() == "failures reported: 1"


def test_a_check_that_found_another_fault_too_is_told(
    instance: dg.DagsterInstance, sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.defs.test_alarms.ROWS", [*ROWS, {"outcome": "error", "fails": True}])
    dg.materialize([table, told_elsewhere], instance=instance)
    assert sensor.tick() == "failures reported: 1"


def test_a_check_is_told_when_it_begins_to_fail_or_fails_more_severely_and_again_after_it_passed(
    instance: dg.DagsterInstance, sensor: Sensor, warehouse: Connection
) -> None:
    runs = [
        check(instance, passed=passed, severity=severity)
        for passed, severity in (
            (True, "ERROR"), (False, "WARN"), (False, "WARN"), (False, "ERROR"), (False, "WARN"), (True, "ERROR"),
            (False, "ERROR"),
        )
    ]  # fmt: skip
    sensor.tick()
    sensor.tick()
    messages = written(warehouse)
    assert [(message["run_id"], message["severity"]) for message in messages] == [
        (runs[1], "WARN"),
        (runs[3], "ERROR"),
        (runs[6], "ERROR"),
    ]
    message = messages[0]
    assert message["what"] == "check rows_agree of table"
    assert message["link"] == f"{UI}/assets/table?view=checks&checkDetail=rows_agree"
    assert message["message"] == (
        "demanded: As many rows came as were announced. offsets: server a, "
        "zone seconds 0; server b, zone seconds 60; remedy: read the list again; "
        "rows expected: 4; rows read: 3; unread: nest:3, page 1: no answer"
    )


def test_a_tick_that_was_killed_after_it_wrote_writes_nothing_twice(
    instance: dg.DagsterInstance, sensor: Sensor, warehouse: Connection
) -> None:
    let_a_run_fail(instance)
    sensor.tick()
    sensor.cursor = None  # Dagster never heard of it
    sensor.tick()
    assert warehouse.execute("select target, version from ops.outbox order by target").fetchall() == [
        (target, 1) for target in TARGETS
    ]


def test_what_could_not_be_written_is_written_at_the_next_tick(
    instance: dg.DagsterInstance, sensor: Sensor, warehouse: Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = let_a_run_fail(instance), let_a_run_fail(instance)
    warehouse.execute(
        f"alter table ops.outbox add constraint away check (key <> 'run/{second}' or target <> '{TARGETS[1]}')"
    )
    capfd.readouterr()
    with pytest.raises(psycopg.errors.CheckViolation):
        sensor.tick()
    assert written(warehouse) == [], "a tick writes all it found or nothing"
    assert first not in "".join(capfd.readouterr())
    warehouse.execute("alter table ops.outbox drop constraint away")
    sensor.tick()
    assert [message["run_id"] for message in written(warehouse)] == [first, second]


def test_without_a_target_failures_are_logged_once_and_postgres_is_not_asked(
    instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    sensor = Sensor(instance, ConnectionSettings(host="127.0.0.1", port=9, username="nobody", password=""), ())
    run_id = let_a_run_fail(instance)
    sensor.tick()
    sensor.tick()
    assert "".join(capfd.readouterr()).count(f"run {run_id} of job failing failed: fail: RuntimeError") == 1


def test_a_retry_of_a_reported_failure_is_not_told_again_but_a_run_that_an_operator_started_again_is(
    instance: dg.DagsterInstance, sensor: Sensor, warehouse: Connection
) -> None:
    first = let_a_run_fail(instance)
    again = []
    for tags in ({"dagster/retry_number": "1"}, {}):
        run = instance.create_run_for_job(
            failing, parent_run_id=first, root_run_id=first, tags=tags, status=dg.DagsterRunStatus.STARTED
        )
        instance.report_run_failed(run)
        again.append(run.run_id)
    sensor.tick()
    assert [message["run_id"] for message in written(warehouse)] == [first, again[1]]


@dg.job(name="failing", executor_def=dg.in_process_executor)
def mended() -> None:
    pass


def recorded(warehouse: Connection) -> list[tuple[Any, ...]]:
    return warehouse.execute(
        "select kind, subject_key, severity, closed_at is null from ops.incidents order by incident_id"
    ).fetchall()


def test_a_failed_run_is_an_incident_until_the_job_succeeds(
    sensor: Sensor, instance: dg.DagsterInstance, warehouse: Connection
) -> None:
    for _ in range(2):
        let_a_run_fail(instance)
        sensor.tick()
    assert recorded(warehouse) == [("run_failing", "failing", "critical", True)]
    close_what_runs_again(instance, warehouse)
    assert recorded(warehouse)[0][-1]
    mended.execute_in_process(instance=instance)
    close_what_runs_again(instance, warehouse)
    assert recorded(warehouse) == [("run_failing", "failing", "critical", False)]
    (cause,) = warehouse.execute("select cause from ops.incidents").fetchone() or ("",)
    assert "no connection to" in cause
    assert PASSWORD not in cause


def test_a_check_that_fails_is_an_incident_until_it_passes(
    sensor: Sensor, instance: dg.DagsterInstance, warehouse: Connection
) -> None:
    for passed in (False, False, True, True):
        dg.materialize(
            [table, rows_agree],
            instance=instance,
            run_config={"ops": {"table_rows_agree": {"config": {"passed": passed}}}},
            raise_on_error=False,
        )
        sensor.tick()
        assert recorded(warehouse) == [("check_failing", "table:rows_agree", "critical", not passed)]
