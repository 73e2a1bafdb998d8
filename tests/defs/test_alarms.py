"""What the sensor of failures tells, to whom, how often, and what it keeps to itself."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dagster as dg
import pytest

from pteroassets.defs.alarms import Alarms, failure_sensor

PASSWORD = "correct horse battery staple"
KEY = "ptlc_" + "a" * 43
PATH = "/services/T0123/B0456/secretsecret"
UI = "https://dagster.example.com"
SENSOR = failure_sensor(secrets=[PASSWORD], settled_after=timedelta(0))


class Receiver:
    """A webhook on loopback that answers as it is told and keeps what it took."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.taken: list[dict[str, Any]] = []
        self.attempts = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the library's name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.attempts += 1
                status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
                if status == 200:
                    assert self.path == PATH
                    assert self.headers["Content-Type"] == "application/json"
                    receiver.taken.append(json.loads(body))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}{PATH}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


class Sensor:
    """Ticks the sensor and keeps its cursor from one tick to the next, as the daemon does."""

    def __init__(self, instance: dg.DagsterInstance, url: str) -> None:
        self.instance = instance
        self.url = url
        self.cursor: str | None = None

    def tick(self) -> str:
        """Tick once and return what the tick says of itself."""
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, definitions=dg.Definitions([table], asset_checks=[rows_agree])
        )
        result = SENSOR(context, alarms=Alarms(webhook=self.url, ui_url=UI))
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        return str(result.skip_reason.skip_message if result.skip_reason else "")


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


class Verdict(dg.Config):
    passed: bool
    severity: str = "ERROR"


@dg.asset_check(asset=table, description="As many rows came as were announced.")
def rows_agree(config: Verdict) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=config.passed,
        severity=dg.AssetCheckSeverity[config.severity],
        metadata={"rows_read": 3, "rows_expected": 4, "remedy": "read the list again"},
    )


def let_a_run_fail(instance: dg.DagsterInstance, **tags: str) -> str:
    result = failing.execute_in_process(instance=instance, raise_on_error=False, tags=tags)
    return str(result.run_id)


def check(instance: dg.DagsterInstance, *, passed: bool, severity: str = "ERROR") -> str:
    config = {"ops": {"table_rows_agree": {"config": {"passed": passed, "severity": severity}}}}
    return str(dg.materialize([table, rows_agree], instance=instance, run_config=config).run_id)


def test_a_failed_run_is_one_message_with_its_error_and_a_link_and_without_any_secret(
    instance: dg.DagsterInstance, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    sensor = Sensor(instance, receiver.url)
    run_id = let_a_run_fail(instance)
    capfd.readouterr()
    sensor.tick()
    sensor.tick()
    (message,) = receiver.taken
    assert message["id"] == f"run/{run_id}"
    assert (message["kind"], message["severity"], message["run_id"]) == ("run_failure", "ERROR", run_id)
    assert message["what"] == f"run {run_id} of job failing"
    assert message["link"] == f"{UI}/runs/{run_id}"
    assert message["message"].startswith("fail: RuntimeError: no connection to postgresql://")
    assert message["text"] == message["content"]
    assert message["text"].endswith(message["link"])
    logged = "".join(capfd.readouterr())
    assert f"run {run_id} of job failing failed: fail: RuntimeError" in logged
    for secret in (PASSWORD, PATH, "someone@example.com", KEY):
        assert secret not in json.dumps(message)
        assert secret not in logged


def test_a_check_is_told_when_it_begins_to_fail_or_fails_more_severely_and_again_after_it_passed(
    instance: dg.DagsterInstance, receiver: Receiver
) -> None:
    sensor = Sensor(instance, receiver.url)
    runs = [
        check(instance, passed=passed, severity=severity)
        for passed, severity in (
            (True, "ERROR"), (False, "WARN"), (False, "WARN"), (False, "ERROR"), (False, "WARN"), (True, "ERROR"),
            (False, "ERROR"),
        )
    ]  # fmt: skip
    sensor.tick()
    sensor.tick()
    assert [(message["run_id"], message["severity"]) for message in receiver.taken] == [
        (runs[1], "WARN"),
        (runs[3], "ERROR"),
        (runs[6], "ERROR"),
    ]
    message = receiver.taken[0]
    assert message["what"] == "check rows_agree of table"
    assert message["link"] == f"{UI}/assets/table?view=checks&checkDetail=rows_agree"
    assert message["message"] == (
        "demanded: As many rows came as were announced. remedy: read the list again; rows_expected: 4; rows_read: 3"
    )
    assert len({message["id"] for message in receiver.taken}) == 3


def test_what_the_webhook_does_not_take_is_said_and_sent_at_the_next_tick_once(
    instance: dg.DagsterInstance, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    sensor = Sensor(instance, receiver.url)
    first, second = let_a_run_fail(instance), let_a_run_fail(instance)
    receiver.answers = [(200, {}), (403, {})]
    assert sensor.tick() == "1 reported, one waits: it answered 403"
    assert [message["run_id"] for message in receiver.taken] == [first]
    logged = "".join(capfd.readouterr())
    assert f"did not accept the message run/{second}" in logged
    assert PATH not in logged
    sensor.tick()
    sensor.tick()
    assert [message["run_id"] for message in receiver.taken] == [first, second]


def test_an_answer_of_500_is_tried_again_within_the_tick(instance: dg.DagsterInstance, receiver: Receiver) -> None:
    let_a_run_fail(instance)
    receiver.answers = [(500, {}), (502, {})]
    assert Sensor(instance, receiver.url).tick() == "failures reported: 1"
    assert receiver.attempts == 3
    assert len(receiver.taken) == 1


def test_a_webhook_that_asks_for_time_is_given_it(instance: dg.DagsterInstance, receiver: Receiver) -> None:
    sensor = Sensor(instance, receiver.url)
    let_a_run_fail(instance)
    receiver.answers = [(429, {"Retry-After": "600"})]
    sensor.tick()
    assert sensor.tick() == "the webhook asked us to wait"
    assert receiver.attempts == 1


def test_a_webhook_that_is_not_there_loses_nothing_and_its_address_stays_unsaid(
    instance: dg.DagsterInstance,
    receiver: Receiver,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone = Receiver()
    gone.server.server_close()
    sensor = Sensor(instance, gone.url)
    run_id = let_a_run_fail(instance)
    assert sensor.tick() == "0 reported, one waits: no answer (Connection refused)"
    assert PATH not in "".join(capfd.readouterr())
    assert PATH not in caplog.text
    sensor.url = receiver.url
    sensor.tick()
    assert [message["run_id"] for message in receiver.taken] == [run_id]


def test_a_redirect_is_not_followed_with_what_failed(instance: dg.DagsterInstance, receiver: Receiver) -> None:
    let_a_run_fail(instance)
    receiver.answers = [(302, {"Location": receiver.url})]
    assert Sensor(instance, receiver.url).tick() == "0 reported, one waits: it answered 302"
    assert receiver.taken == []


def test_without_a_webhook_failures_are_logged_once(
    instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    sensor = Sensor(instance, "")
    run_id = let_a_run_fail(instance)
    sensor.tick()
    sensor.tick()
    assert "".join(capfd.readouterr()).count(f"run {run_id} of job failing failed: fail: RuntimeError") == 1


def test_a_retry_of_a_reported_failure_is_not_told_again_but_a_run_that_an_operator_started_again_is(
    instance: dg.DagsterInstance, receiver: Receiver
) -> None:
    sensor = Sensor(instance, receiver.url)
    first = let_a_run_fail(instance)
    again = []
    for tags in ({"dagster/retry_number": "1"}, {}):
        run = instance.create_run_for_job(
            failing, parent_run_id=first, root_run_id=first, tags=tags, status=dg.DagsterRunStatus.STARTED
        )
        instance.report_run_failed(run)
        again.append(run.run_id)
    sensor.tick()
    assert [message["run_id"] for message in receiver.taken] == [first, again[1]]
