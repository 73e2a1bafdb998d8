"""How the work of one job is given to several machines: Celery, with a broker that all of them reach (decision 29).

Only back-fills are divided: other passes take seconds, and wait for the panel's limit wherever they run. Without a
broker the same job runs here, one group of servers after another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from pteroassets.settings import Settings

if TYPE_CHECKING:
    from celery import Celery

BROKER = "PTEROASSETS_CELERY_BROKER"


class MissingCeleryError(Exception):
    """A broker is set, but the packages that talk to it are not installed."""


def executor_of(settings: Settings) -> dg.ExecutorDefinition:
    """Return what executes a divided job: Celery's workers if there is a broker, else the run's own process.

    Raises:
        MissingCeleryError: A broker is set and dagster-celery is not installed.
    """
    if settings.pteroassets_celery_broker is None:
        return dg.in_process_executor
    try:
        from dagster_celery import celery_executor  # noqa: PLC0415 - an extra, and half a second of imports
    except ImportError as error:
        raise MissingCeleryError(
            f"{BROKER} is set, but dagster-celery is not installed: pip install 'pteroassets[celery]'"
        ) from error
    broker = {"env": BROKER}  # by name: the address may hold a password, and configuration is stored
    return celery_executor.configured(
        {"broker": broker, "backend": broker, "config_source": celery_settings(settings)}, name="celery"
    )


def celery_settings(settings: Settings) -> dict[str, Any]:
    """Return Celery's own settings, which are the same where work is given out and where it is done.

    A task is acknowledged when it is done, so what a worker held that was killed is given to another: at once if only
    its process died, after `pteroassets_celery_redelivery_seconds` if the machine did. A task that takes longer is
    given out twice; the second waits for the first, since both lock their servers, and finds nothing left to do.
    """
    return {
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "broker_transport_options": {"visibility_timeout": settings.pteroassets_celery_redelivery_seconds},
        "broker_connection_retry_on_startup": True,
    }


def celery_app(settings: Settings) -> Celery:
    """Return the application that a worker serves.

    Raises:
        MissingCeleryError: No broker is set.
    """
    if settings.pteroassets_celery_broker is None:
        raise MissingCeleryError(f"set {BROKER} to the broker's address; .env.example says what it is")
    from dagster_celery.make_app import make_app  # noqa: PLC0415 - an extra
    from dagster_celery.tasks import create_task  # noqa: PLC0415 - an extra

    url = settings.pteroassets_celery_broker.get_secret_value()
    app: Celery = make_app({"broker": url, "backend": url})  # type: ignore[no-untyped-call]
    app.conf.update(celery_settings(settings))
    create_task(app)  # type: ignore[no-untyped-call]
    return app
