"""What ``celery -A pteroassets.defs.celery_app worker`` serves; `pteroassets worker` starts it."""

from pteroassets.defs.distribution import celery_app
from pteroassets.settings import read_settings

app = celery_app(read_settings())
