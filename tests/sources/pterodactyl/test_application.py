"""Readings of the panel's entities."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from pteroassets.clock import ManualClock
from pteroassets.privacy import Redactor
from pteroassets.sources.pterodactyl import errors
from pteroassets.sources.pterodactyl.application import ENTITIES, Reading, read_estate
from pteroassets.sources.pterodactyl.client import PanelClient

NULL = {"object": "null_resource", "attributes": None}


def uid(number: int) -> str:
    return str(uuid.UUID(int=number))


def listed(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": [{"object": "x", "attributes": row} for row in rows]}


class Estate:
    """A panel's lists; a test changes them, or lets a path fail."""

    def __init__(self, stub: Any) -> None:
        self.stub = stub
        self.failing: dict[str, int] = {}
        self.lists: dict[str, list[dict[str, Any]]] = {
            "locations": [{"id": 1, "short": "eu"}],
            "nodes": [{"id": number, "uuid": uid(number), "name": f"node {number}"} for number in (1, 2)],
            "nodes/1/allocations": [{"id": number, "ip": "203.0.113.1", "port": number} for number in range(1, 251)],
            "nodes/2/allocations": [{"id": 900, "ip": "203.0.113.2", "port": 1}],
            "nests": [{"id": number, "uuid": uid(20 + number), "author": "a@example.com"} for number in (1, 2)],
            "nests/1/eggs": [self.egg(1), self.egg(2)],
            "nests/2/eggs": [self.egg(3)],
            "users": [{"id": number, "uuid": uid(5000 + number), "email": "m@example.com"} for number in range(1, 131)],
            "servers": [self.server(number) for number in range(1, 121)],
        }
        stub.answer = self.answer

    def egg(self, number: int) -> dict[str, Any]:
        variables = listed({"id": number, "env_variable": "X"})
        return {"id": number, "uuid": uid(40 + number), "relationships": {"variables": variables}}

    def server(self, number: int, **relationships: Any) -> dict[str, Any]:
        base = {
            "allocations": listed({"id": number}),
            "subusers": listed({"id": number, "user_id": 1, "permissions": ["control.console"]}),
            "databases": listed(),
        }
        return {"id": number, "uuid": uid(1000 + number), "relationships": base | relationships}

    def answer(self, request: Request) -> Response:
        path = request.url.path.removeprefix("/api/application/")
        if path == "/api/client/account":
            return self.stub.json({"attributes": {"admin": True}})
        if path in self.failing:
            return self.stub.error(self.failing[path], "TypeError")
        if path.endswith("/eggs"):
            return self.stub.json(listed(*self.lists[path]))
        return self.stub.list_of(request, self.lists[path])


@pytest.fixture
def estate(stub: Any) -> Estate:
    return Estate(stub)


@pytest.fixture
def read(panel: PanelClient, redactor: Redactor, clock: ManualClock) -> Any:
    def read(entity: str) -> Reading:
        return next(read_estate(panel, redactor=redactor, clock=clock, entities=[entity]))

    return read


def test_the_whole_estate_is_read_to_the_last_page(
    estate: Estate, panel: PanelClient, redactor: Redactor, clock: ManualClock
) -> None:
    readings = {reading.entity: reading for reading in read_estate(panel, redactor=redactor, clock=clock)}
    assert list(readings) == list(ENTITIES)
    assert {entity: len(reading.records) for entity, reading in readings.items()} == {
        "locations": 1,
        "nodes": 2,
        "allocations": 251,
        "nests": 2,
        "eggs": 3,
        "servers": 120,
        "users": 130,
        "subusers": 120,
        "server_databases": 0,
    }
    assert all(reading.is_complete and not reading.unread_scopes for reading in readings.values())
    assert readings["allocations"].rows_expected == 251
    assert readings["eggs"].rows_expected is None
    # 1 locations, 1 nodes, 3 + 1 allocations, 1 nests, 2 eggs, 2 servers, 2 users
    assert len(estate.stub.requests) == 13
    assert sum(reading.requests for reading in readings.values()) == 13


def test_lists_are_asked_for_in_order_where_the_route_sorts_and_in_large_pages(
    estate: Estate, panel: PanelClient, redactor: Redactor, clock: ManualClock
) -> None:
    list(read_estate(panel, redactor=redactor, clock=clock))
    for request in estate.stub.requests:
        assert request.query_params["per_page"] == "100"
        sorts = request.url.path.rpartition("/")[2] in ("locations", "nodes", "servers", "users")
        assert request.query_params.get("sort") == ("id" if sorts else None)


@pytest.mark.usefixtures("estate")
def test_a_record_is_known_by_its_uuid_where_it_has_one(read: Any) -> None:
    (first, *_) = read("nodes").records
    assert (first.key, first.id, first.uuid, first.scope) == (uid(1), 1, uid(1), "")
    allocation = read("allocations").records[-1]
    assert (allocation.key, allocation.uuid, allocation.scope) == ("900", None, "node:2")
    assert read("eggs").records[0].scope == "nest:1"
    assert read("subusers").records[0].scope == f"server:{uid(1001)}"


@pytest.mark.usefixtures("estate")
def test_records_are_landed_without_addresses_of_people(read: Any) -> None:
    assert {record.record["email"][:5] for record in read("users").records} == {"hmac:"}


def test_eggs_that_fail_cost_their_nest_alone(estate: Estate, read: Any) -> None:
    estate.failing["nests/1/eggs"] = 500
    reading = read("eggs")
    assert [record.id for record in reading.records] == [3]
    assert not reading.is_complete
    assert list(reading.unread_scopes) == ["nest:1"]
    assert "500 TypeError" in reading.unread_scopes["nest:1"]


@pytest.mark.parametrize("status", [404, 500, 504])
def test_a_node_whose_allocations_fail_costs_its_own_alone(estate: Estate, read: Any, status: int) -> None:
    estate.failing["nodes/1/allocations"] = status
    reading = read("allocations")
    assert [record.id for record in reading.records] == [900]
    assert list(reading.unread_scopes) == ["node:1"]
    assert reading.rows_expected is None


def test_an_incomplete_list_of_nodes_leaves_all_allocations_in_doubt(estate: Estate, read: Any) -> None:
    estate.failing["nodes"] = 500
    reading = read("allocations")
    assert list(reading.unread_scopes) == [""]


def test_a_missing_permission_costs_its_entity_and_is_named(
    estate: Estate, panel: PanelClient, redactor: Redactor, clock: ManualClock
) -> None:
    estate.failing["users"] = 403
    readings = {reading.entity: reading for reading in read_estate(panel, redactor=redactor, clock=clock)}
    assert "may not read users" in readings["users"].unread_scopes[""]
    assert [entity for entity, reading in readings.items() if not reading.is_complete] == ["users"]


def test_an_include_withheld_for_every_server_is_a_missing_permission(estate: Estate, read: Any) -> None:
    estate.lists["servers"] = [estate.server(number, subusers=NULL) for number in (1, 2)]
    reading = read("subusers")
    assert reading.records == []
    assert "PTERODACTYL_APP_KEY" in reading.unread_scopes[""]
    assert read("servers").is_complete


def test_an_include_withheld_for_one_server_leaves_that_one_unread(estate: Estate, read: Any) -> None:
    estate.lists["servers"] = [estate.server(1, databases=NULL), estate.server(2, databases=listed({"id": 7}))]
    reading = read("server_databases")
    assert [record.key for record in reading.records] == ["7"]
    assert list(reading.unread_scopes) == [f"server:{uid(1001)}"]
    assert not reading.is_complete


def test_eggs_without_their_variables_are_unread_rather_than_changed(estate: Estate, read: Any) -> None:
    estate.lists["nests/1/eggs"][0]["relationships"]["variables"] = NULL
    reading = read("eggs")
    assert [record.id for record in reading.records] == [3]
    assert list(reading.unread_scopes) == ["nest:1"]


def test_a_panel_without_servers_is_complete(estate: Estate, read: Any) -> None:
    estate.lists["servers"] = []
    for entity in ("servers", "subusers", "server_databases"):
        assert (read(entity).records, read(entity).is_complete) == ([], True)


def test_a_server_made_between_two_pages_is_not_missed(estate: Estate, read: Any) -> None:
    answer = estate.answer

    def grow(request: Request) -> Response:
        given = answer(request)
        if len(estate.lists["servers"]) == 120:
            estate.lists["servers"].append(estate.server(121))
        return given

    estate.stub.answer = grow
    reading = read("servers")
    assert len(reading.records) == reading.rows_expected == 121
    assert reading.is_complete


def test_a_record_without_a_proper_uuid_leaves_the_list_incomplete(estate: Estate, read: Any) -> None:
    estate.lists["nodes"].append({"id": 3, "uuid": "none"})
    reading = read("nodes")
    assert [record.id for record in reading.records] == [1, 2]
    assert list(reading.unread_scopes) == [""]


def test_unknown_attributes_are_kept_and_missing_ones_missed_by_nobody(estate: Estate, read: Any) -> None:
    estate.lists["locations"] = [{"id": 1, "of_a_later_version": {"deep": []}}]
    assert read("locations").records[0].record == {"id": 1, "of_a_later_version": {"deep": []}}


def test_a_key_that_the_panel_does_not_know_ends_the_reading(estate: Estate, read: Any) -> None:
    estate.failing["locations"] = 401
    with pytest.raises(errors.KeyRejectedError):
        read("locations")


def test_after_a_refusal_without_end_nothing_more_is_asked(
    estate: Estate, panel: PanelClient, redactor: Redactor, clock: ManualClock
) -> None:
    estate.failing["locations"] = 429
    readings = list(read_estate(panel, redactor=redactor, clock=clock))
    assert len(estate.stub.requests) == 3
    assert [reading.entity for reading in readings if reading.is_complete or "" not in reading.unread_scopes] == []


def test_an_unknown_entity_is_a_mistake_of_the_caller(
    panel: PanelClient, redactor: Redactor, clock: ManualClock
) -> None:
    with pytest.raises(ValueError, match="backups"):
        list(read_estate(panel, redactor=redactor, clock=clock, entities=["backups"]))


def test_the_same_panel_gives_the_same_digests(estate: Estate, read: Any) -> None:
    first = {record.key: record.digest for record in read("servers").records}
    estate.lists["servers"].reverse()
    assert {record.key: record.digest for record in read("servers").records} == first
