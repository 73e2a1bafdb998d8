"""What ``celery -A pteroassets.defs.celery_app:app worker`` serves; `pteroassets worker` starts it."""

from functools import cache
from typing import TYPE_CHECKING

from pteroassets.defs.distribution import celery_app
from pteroassets.settings import read_settings

if TYPE_CHECKING:
    from celery import Celery


@cache
def _made() -> "Celery":
    return celery_app(read_settings())


def __getattr__(name: str) -> "Celery":
    # made when it is asked for, and not when the module is imported: it needs a broker
    if name == "app":
        return _made()
    raise AttributeError(name)
