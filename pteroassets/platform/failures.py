"""What failed in Dagster, read from its webserver, for the terminal in which the platform was started."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pteroassets.platform.loopback import HOST
from pteroassets.platform.summary import Finding, plain
from pteroassets.platform.webserver import ask

_MOST_SIGNS = 400
_CHECKS = """
{
  assetNodes {
    assetKey { path }
    assetChecksOrError {
      ... on AssetChecks {
        checks { name executionForLatestMaterialization { status evaluation { severity } } }
      }
    }
  }
}
"""
_RUNS = """
query($since: Float) {
  runsOrError(filter: {statuses: [FAILURE], updatedAfter: $since}) {
    ... on Runs { results { runId jobName parentRunId endTime tags { key } } }
  }
}
"""
_EVENTS = """
query($run: ID!, $after: String) {
  logsForRun(runId: $run, afterCursor: $after) {
    ... on EventConnection {
      cursor hasMore
      events {
        ... on ExecutionStepFailureEvent { stepKey error { message errorChain { error { message } } } }
        ... on RunFailureEvent { message }
      }
    }
  }
}
"""


def failed_checks(port: int) -> list[Finding]:
    """Return each asset check that failed when it last ran, from Dagster's webserver on *port*.

    Raises:
        UnansweredError: It does not answer.
    """
    found = []
    for node in ask(port, _CHECKS, "assetNodes"):
        key = "/".join(node["assetKey"]["path"])
        for check in node["assetChecksOrError"].get("checks", []):
            last: dict[str, Any] = check["executionForLatestMaterialization"] or {}
            if last.get("status") in {"FAILED", "EXECUTION_FAILED"}:
                severity = (last.get("evaluation") or {}).get("severity", "ERROR")
                found.append(
                    Finding(
                        kind="check that warns" if severity == "WARN" else "failed check",
                        subject=f"{key}:{check['name']}",
                        text=f"{check['name']} of {key}",
                        look=f"http://{HOST}:{port}/assets/{key}?view=checks&checkDetail={check['name']}",
                    )
                )
    return sorted(found, key=lambda finding: (finding.kind != "failed check", finding.subject))


class FailedRuns:
    """Reports each run that failed after *since* once; Dagster's retry of such a run is not reported again."""

    def __init__(self, port: int, *, since: datetime) -> None:
        self._port = port
        self._since = since
        self._told: set[str] = set()

    def news(self) -> Iterator[str]:
        """Yield a line for each run that failed since the last call, oldest first.

        Raises:
            UnansweredError: The webserver does not answer; what failed meanwhile is reported at the next call.
        """
        for run in reversed(ask(self._port, _RUNS, "runsOrError", since=self._since.timestamp())["results"]):
            if run["runId"] in self._told:
                continue
            if run["parentRunId"] is not None and any(tag["key"] == "dagster/retry_number" for tag in run["tags"]):
                self._told.add(run["runId"])
                continue
            at = datetime.now(tz=UTC) if run["endTime"] is None else datetime.fromtimestamp(run["endTime"], UTC)
            reason = plain(self._reason(run["runId"]))[:_MOST_SIGNS]
            self._told.add(run["runId"])
            address = f"http://{HOST}:{self._port}/runs/{run['runId']}"
            yield f"{at:%H:%M} UTC  {run['jobName']} failed: {reason}  {address}"

    def _reason(self, run_id: str) -> str:
        """Return why the first failed step failed; a run that failed outside its steps has its own message."""
        said = "no reason was recorded"
        after, has_more = None, True
        while has_more:
            page = ask(self._port, _EVENTS, "logsForRun", run=run_id, after=after)
            for event in page["events"]:
                if error := event.get("error"):
                    chain = [error["message"], *(link["error"]["message"] for link in error["errorChain"])]
                    return f"{event['stepKey']}: {chain[-1].strip().splitlines()[0]}"
                said = event.get("message") or said
            after, has_more = page["cursor"], page["hasMore"]
        return said.strip().splitlines()[0]
