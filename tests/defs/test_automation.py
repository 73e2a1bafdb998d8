"""What the sensor of failed runs reports, and what it leaves out."""

from __future__ import annotations

import dagster as dg
import pytest

from pteroassets.defs.automation import report_failed_runs


@dg.op
def fail() -> None:
    raise RuntimeError("the panel is gone")


@dg.job(executor_def=dg.in_process_executor)
def failing() -> None:
    fail()


def reported(capsys: pytest.CaptureFixture[str], *, parent: str | None, tags: dict[str, str]) -> list[str]:
    """Let *failing* fail and return what the sensor logs as an error."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = failing.execute_in_process(instance=instance, raise_on_error=False)
        run = result.dagster_run
        if parent is not None:
            run = run.with_tags({**run.tags, **tags})._replace(parent_run_id=parent, root_run_id=parent)
        context = dg.build_run_status_sensor_context(
            sensor_name="report_failed_runs",
            dagster_event=result.get_run_failure_event(),
            dagster_instance=instance,
            dagster_run=run,
        ).for_run_failure()
        capsys.readouterr()
        report_failed_runs(context)
    return [line for line in capsys.readouterr().err.splitlines() if " ERROR - " in line]


def test_a_failed_run_is_reported_with_its_job_and_its_error(capsys: pytest.CaptureFixture[str]) -> None:
    (message,) = reported(capsys, parent=None, tags={})
    assert message.endswith("of job failing failed: fail: RuntimeError: the panel is gone")


def test_a_retry_of_a_reported_failure_is_not_reported_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(capsys, parent="the run before", tags={"dagster/retry_number": "1"}) == []


def test_a_run_that_an_operator_started_again_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(reported(capsys, parent="the run before", tags={})) == 1
