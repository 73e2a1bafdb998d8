"""Check everything that the platform needs before it runs, and say what to do about each fault."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
import requests

from pteroassets.bot.config import faults_of, is_wanted
from pteroassets.clock import Clock
from pteroassets.landing.sources import PASSES
from pteroassets.platform.finding import Finding
from pteroassets.privacy import Redactor
from pteroassets.settings import SECRET_FILES, Settings, unknown_names
from pteroassets.sources.pterodactyl.application import read_estate
from pteroassets.sources.pterodactyl.client import PAGE_SIZE, PanelClient, read_pages
from pteroassets.sources.pterodactyl.dialect import DIALECTS, PELICAN, node_port
from pteroassets.sources.pterodactyl.errors import (
    KeyRejectedError,
    NotFoundError,
    PanelAddressError,
    PanelError,
    PanelTimeoutError,
    PanelUnreachableError,
)
from pteroassets.sources.pterodactyl.pacing import AnnouncedLimits, Api
from pteroassets.sources.pterodactyl.transport import is_timeout, reason_of
from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.migrate import LEAST_MAJOR, UnsuitablePostgresError, require_suitable_server

_NODE_TIMEOUT_SECONDS = 5
_OF_THE_WHOLE_PANEL = (PanelUnreachableError, PanelTimeoutError)
_OF_THE_WHOLE_KEY = (KeyRejectedError, PanelAddressError)
_INCLUDES = ("allocations", "subusers", "databases")


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Yield the missing settings, and keys of the wrong kind."""
    remedies = {
        "PTERODACTYL_URL": "set it to the panel's address, for example https://panel.example.com",
        "PTERODACTYL_CLI_KEY": "make a client API key in the panel under Account, API Credentials, as a root admin",
        "PTERODACTYL_APP_KEY": "make an application API key under Admin, Application API with read permissions, "
        "or give the root admin's client key here as well",
    }
    for name in dict.fromkeys(name for one in PASSES.values() if not one.is_optional for name in one.needs):
        if getattr(settings, name) is None:
            remedy = remedies.get(name.upper(), ".env.example says what it is")
            yield Finding(subject=name.upper(), status="fault", detail="is not set", remedy=remedy)
    if holds_application_key(settings):
        yield Finding(
            subject="PTERODACTYL_CLI_KEY",
            status="fault",
            detail="holds an application key, as its first letters show; the client API needs a client key",
            remedy=remedies["PTERODACTYL_CLI_KEY"],
        )
    if settings.pteroassets_pii == "hash" and settings.pteroassets_pii_key is None:
        yield Finding(
            subject="PTEROASSETS_PII_KEY",
            status="fault",
            detail="is not set, and without it nothing can be hashed",
            remedy="set it to the output of: openssl rand -hex 32 (or choose PTEROASSETS_PII=drop)",
        )
    yield from check_bot(settings)
    if settings.pteroassets_allow_shrink:
        yield Finding(
            subject="PTEROASSETS_ALLOW_SHRINK",
            status="warning",
            detail="is true, so a list that lost most of its records marks them gone",
            remedy="remove it once the run that needed it is done",
        )


def check_bot(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong with the settings of the bot of Discord, where one is wanted."""
    for line in faults_of(settings) if is_wanted(settings) else ():
        subject, _, fault = line.partition(" ")
        detail, _, remedy = fault.partition(": ")
        yield Finding(subject=subject, status="fault", detail=detail, remedy=remedy)


def check_variables(names: Collection[str]) -> Iterator[Finding]:
    """Yield those of the variables *names* that look like our settings but are not."""
    known = {*(name.upper() for name in Settings.model_fields), *SECRET_FILES}
    for name, remedy in unknown_names(names, known):
        yield Finding(subject=name, status="warning", detail="is not a setting, so it does nothing", remedy=remedy)


def holds_application_key(settings: Settings) -> bool:
    """Return whether an application key is set as the client key; keys of old panels have no prefix."""
    key = settings.pterodactyl_cli_key
    prefixes = tuple(dialect.application_prefix for dialect in DIALECTS)
    return key is not None and key.get_secret_value().startswith(prefixes)


def check_panel(panel: PanelClient, announced: AnnouncedLimits) -> Iterator[Finding]:
    """Ask the panel for one record of each list that is read, and yield what it refuses.

    A fault that all further requests would meet, such as a panel that is down or an unknown key, is reported
    once.
    """
    application: dict[str, Callable[[], Finding]] = {
        endpoint: partial(_list, panel, endpoint) for endpoint in ("locations", "nodes", "nests", "users", "servers")
    }
    application["includes of servers"] = partial(_server_includes, panel)
    application["eggs"] = partial(_eggs, panel)
    application["allocations"] = partial(_sublist, panel, "nodes", "allocations")
    answered: list[Api] = []
    finding, error = _guarded("client key", partial(_client_key, panel))
    if isinstance(error, _OF_THE_WHOLE_PANEL):
        yield replace(finding, subject="PTERODACTYL_URL")
        return
    yield finding
    if error is None:
        answered.append("client")
    for name, check in application.items():
        finding, error = _guarded(f"application key: {name}", check)
        if isinstance(error, _OF_THE_WHOLE_KEY):
            yield replace(finding, subject="application key")
            break
        yield finding
        if error is None and "application" not in answered:
            answered.append("application")
    for api in sorted(answered):
        limit = announced.limits.get(api)
        yield Finding(
            subject=f"rate limit of the {api} API",
            status="ok" if limit else "warning",
            detail=f"the panel announces {limit} requests a minute" if limit else "the panel announces none",
            remedy=""
            if limit
            else "a proxy may be removing the X-RateLimit headers; requests then go out one at a time",
        )


def check_nodes(panel: PanelClient) -> Iterator[Finding]:
    """Ask each node's daemon, from which large log files are downloaded, whether it answers.

    A node that accepts connections and sends nothing hangs; only an answer shows that Wings is there.
    """
    nodes = read_pages(lambda page: panel.application("nodes", per_page=PAGE_SIZE, page=page)).rows
    if nodes:  # check_panel reported why there is none, or not all
        with ThreadPoolExecutor(max_workers=min(len(nodes), 32)) as pool:
            yield from pool.map(partial(_node, panel), nodes)


def _node(panel: PanelClient, node: Mapping[str, Any]) -> Finding:
    place = f"{node.get('fqdn')}:{node_port(panel.dialect, node)}"
    found = partial(Finding, subject=f"node {node.get('name')}")
    try:
        # without the node's token, which opens everything there: Wings then answers 401
        with panel.node_session.get(
            f"{node.get('scheme')}://{place}/api/system",
            timeout=(_NODE_TIMEOUT_SECONDS, _NODE_TIMEOUT_SECONDS),
            stream=True,
        ) as answer:
            status = answer.status_code
    except requests.RequestException as error:
        said = f"no answer within {_NODE_TIMEOUT_SECONDS} s" if is_timeout(error) else reason_of(error)
        return found(
            status="warning",
            detail=f"{place} cannot be reached: {said}",
            remedy="check whether the node is up; log files over 4 MiB come from it, so open this port to this "
            "machine; its servers' samples are node_unreachable if the panel gets no answer from it either",
        )
    if status != requests.codes.unauthorized:
        return found(
            status="warning",
            detail=f"{place} answers {status}, as Wings does not",
            remedy="check what listens there, or which proxy is in front of it: log files over 4 MiB come from it",
        )
    return found(status="ok", detail=f"Wings answers at {place}")


def check_names(panel: PanelClient, settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Yield the names in the settings of zones and paths that are no server, egg or node of the panel."""
    wanted = [
        ("PTEROASSETS_LOG_TIMEZONES", settings.pteroassets_log_timezones, "server's uuid, egg or node"),
        ("PTEROASSETS_LOG_PATHS", settings.pteroassets_log_paths, "server's uuid or egg"),
    ]
    if not any(names for _, names, _ in wanted):
        return
    there: dict[str, list[str]] = {}
    unread: list[str] = []
    try:
        for reading in read_estate(
            panel, redactor=Redactor("drop", None), clock=clock, entities=("servers", "eggs", "nodes")
        ):
            unread += reading.unread_scopes.values()
            there[reading.entity] = [
                str(record.uuid if reading.entity == "servers" else record.record.get("name")).strip()
                for record in reading.records
            ]
    except PanelError as error:
        unread.append(str(error))
    if unread:
        yield Finding(
            subject="names in settings",
            status="warning",
            detail=f"could not be compared with the panel's: {unread[0]}",
            remedy="check again when the panel lists its servers, eggs and nodes",
        )
        return
    for setting, names, kinds in wanted:
        known = [*there["servers"], *there["eggs"], *(there["nodes"] if "node" in kinds else [])]
        folded = {name.casefold() for name in known}
        for name in names:
            if name.strip().casefold() in folded:
                continue
            alike = difflib.get_close_matches(name.strip(), known, n=1)
            yield Finding(
                subject=setting,
                status="fault",
                detail=f"names {name!r}, which is not a {kinds} of the panel",
                remedy=f"write {alike[0]!r} if you mean that, or remove it" if alike else "correct it or remove it",
            )


def check_postgres(settings: ConnectionSettings) -> Iterator[Finding]:
    """Check version and rights of the Postgres server."""
    try:
        version = require_suitable_server(settings.with_database("postgres"))
    except UnsuitablePostgresError as error:
        yield Finding(
            subject="Postgres", status="fault", detail=str(error), remedy=f"use version {LEAST_MAJOR} or later"
        )
        return
    except psycopg.OperationalError as error:
        yield Finding(
            subject="Postgres",
            status="fault",
            detail=f"{settings.host}:{settings.port} refuses: {str(error).strip().splitlines()[-1]}",
            remedy="check POSTGRES_HOST, POSTGRES_PORT, POSTGRES_USERNAME and POSTGRES_PASSWORD, or unset "
            "POSTGRES_HOST for the embedded one",
        )
        return
    yield Finding(subject="Postgres", status="ok", detail=f"version {version} at {settings.host}:{settings.port}")
    with connect(settings.with_database("postgres"), autocommit=True) as connection:
        row = connection.execute(
            """
            select rolsuper or rolcreatedb, rolsuper or rolcreaterole,
                exists (select from pg_database where datname = %s),
                exists (select from pg_roles where rolname = 'analyst')
            from pg_roles where rolname = current_user
            """,
            (settings.database,),
        ).fetchone()
    may_create_databases, may_create_roles, has_database, has_analyst = row or (False, False, False, False)
    if not (may_create_databases or has_database):
        yield Finding(
            subject="Postgres rights",
            status="fault",
            detail=f"{settings.username} may not create the database {settings.database}",
            remedy=f'as a superuser: create database "{settings.database}" owner "{settings.username}"',
        )
    if not (may_create_roles or has_analyst):
        yield Finding(
            subject="Postgres rights",
            status="fault",
            detail=f"{settings.username} may not create the role analyst",
            remedy="as a superuser: create role analyst nologin",
        )


def _guarded(subject: str, check: Callable[[], Finding]) -> tuple[Finding, PanelError | None]:
    try:
        return replace(check(), subject=subject), None
    except PanelError as error:
        return Finding(subject=subject, status="fault", detail=error.problem, remedy=error.remedy), error


def _client_key(panel: PanelClient) -> Finding:
    account = panel.client("account")["attributes"]
    if not account.get("admin"):
        return Finding(
            subject="",
            status="fault",
            detail=f"belongs to {account.get('username')}, who is not a root admin and sees few servers or none",
            remedy="make the key with a root admin's account",
        )
    listing = panel.client("", type="admin-all", per_page=1)
    total = listing["meta"]["pagination"]["total"]
    return Finding(subject="", status="ok", detail=f"of root admin {account.get('username')}, sees {total} servers")


def _list(panel: PanelClient, endpoint: str) -> Finding:
    if endpoint in panel.dialect.missing or (endpoint in PELICAN.missing and _is_pelican_after_all(panel, endpoint)):
        return Finding(subject="", status="ok", detail=f"{panel.dialect.name} has none")
    total = panel.application(endpoint, per_page=1)["meta"]["pagination"]["total"]
    return Finding(subject="", status="ok", detail=f"may be read: {total} of them")


def _server_includes(panel: PanelClient) -> Finding:
    listing = panel.application("servers", per_page=1, include=",".join(_INCLUDES))
    if not listing["data"]:
        return Finding(subject="", status="warning", detail="there is no server yet to test it with")
    relationships = listing["data"][0]["attributes"].get("relationships", {})
    refused = [name for name in _INCLUDES if _is_null(relationships.get(name))]
    if refused:
        return Finding(
            subject="",
            status="fault",
            detail=f"may not read {', '.join(refused)}",
            remedy="give the key read permission on allocations, users and server databases",
        )
    return Finding(subject="", status="ok", detail="may read " + ", ".join(_INCLUDES))


def _is_pelican_after_all(panel: PanelClient, endpoint: str) -> bool:
    try:
        panel.application(endpoint, per_page=1)
    except NotFoundError:
        return panel.recognize()
    return False


def _eggs(panel: PanelClient) -> Finding:
    if panel.dialect.has_nests:
        return _sublist(panel, "nests", "eggs")
    panel.application("eggs")
    return Finding(subject="", status="ok", detail="may read eggs")


def _sublist(panel: PanelClient, parent: str, child: str) -> Finding:
    parents = panel.application(parent, per_page=1)["data"]
    if not parents:
        return Finding(subject="", status="warning", detail=f"there is no {parent[:-1]} yet to test it with")
    panel.application(f"{parent}/{parents[0]['attributes']['id']}/{child}")
    return Finding(subject="", status="ok", detail=f"may read {child}")


def _is_null(relationship: Any) -> bool:
    return relationship is None or relationship.get("object") == "null_resource"
