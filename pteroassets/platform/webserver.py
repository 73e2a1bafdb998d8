"""Ask Dagster's webserver by GraphQL: its own client would import all of Dagster into a process that only waits."""

from __future__ import annotations

from typing import Any

import requests

from pteroassets.platform.environment import RuntimeFault
from pteroassets.platform.loopback import HOST

_SECONDS = 30
_LAUNCH_SECONDS = 120  # it plans the run before it answers
_LAUNCH = """
mutation($job: String!, $location: String!) {
  launchRun(
    executionParams: {
      selector: {repositoryName: "__repository__", repositoryLocationName: $location, jobName: $job}
      runConfigData: {}, mode: "default"
    }
  ) {
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
_STATUS = "query($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"


class UnansweredError(RuntimeFault):
    """Dagster's webserver did not answer the query."""


def ask(port: int, query: str, wanted: str, *, host: str = HOST, seconds: float = _SECONDS, **variables: Any) -> Any:
    """Return the field *wanted* of the answer to *query*.

    Raises:
        UnansweredError: There is no such answer.
    """
    try:
        data = _answer(f"{host}:{port}", query, variables, seconds)
    except requests.RequestException as error:
        raise UnansweredError(f"Dagster's webserver does not answer ({type(error).__name__})") from error
    found = (data.get("data") or {}).get(wanted)
    if found is None or found == {}:  # an empty object is one of Dagster's errors, for which we asked no field
        raise UnansweredError(f"Dagster's webserver gave no answer to the question: {data.get('errors') or wanted}")
    return found


def _answer(address: str, query: str, variables: dict[str, Any], seconds: float) -> dict[str, Any]:
    with requests.Session() as session:
        session.trust_env = False  # the environment's proxy cannot reach this machine
        answer = session.post(
            f"http://{address}/graphql", json={"query": query, "variables": variables}, timeout=seconds
        )
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body


def launch(port: int, job: str, *, location: str, host: str = HOST) -> str:
    """Launch a run of *job* and return its id.

    Raises:
        UnansweredError: It was not launched.
    """
    answer = ask(port, _LAUNCH, "launchRun", seconds=_LAUNCH_SECONDS, host=host, job=job, location=location)
    if "run" not in answer:
        raise UnansweredError(f"Dagster's webserver did not launch {job}: {answer.get('message')}")
    return str(answer["run"]["runId"])


def status(port: int, run_id: str, *, host: str = HOST) -> str:
    """Return Dagster's word for how far a run is.

    Raises:
        UnansweredError: There is no such run, or no answer.
    """
    return str(ask(port, _STATUS, "runOrError", host=host, run=run_id)["status"])
