"""Run the processes of the platform together: start, wait until they answer, stop, and tell when one dies."""

from __future__ import annotations

from pteroassets.loopback import free_port, remembered_port
from pteroassets.services.platform import (
    DagsterPlace,
    dagster_code_server,
    dagster_daemon,
    dagster_webserver,
    docs_server,
)
from pteroassets.services.supervisor import Service, ServiceError, Supervisor, answers, unwinding

__all__ = [
    "DagsterPlace",
    "Service",
    "ServiceError",
    "Supervisor",
    "answers",
    "dagster_code_server",
    "dagster_daemon",
    "dagster_webserver",
    "docs_server",
    "free_port",
    "remembered_port",
    "unwinding",
]
