"""One client: keys, headers, retries, time-outs, and errors without secrets."""

from __future__ import annotations

import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from starlette.requests import Request
from starlette.responses import Response

from pteroassets.clock import ManualClock
from pteroassets.sources.pterodactyl import errors
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.pterodactyl.transport import PlainSession

Make = Callable[..., PanelClient]


def in_turn(*answers: Callable[[], Response]) -> Callable[[Request], Response]:
    """Give each answer once and the last one for ever."""
    left = list(answers)
    return lambda _: (left.pop(0) if len(left) > 1 else left[0])()


def test_each_api_gets_its_own_key_and_our_name(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda _: stub.json({"object": "list", "data": []})
    panel.application("servers", per_page=7)
    panel.client("", type="admin-all")
    first, second = stub.requests
    assert (first.url.path, first.query_params["per_page"]) == ("/api/application/servers", "7")
    assert (second.url.path, second.query_params["type"]) == ("/api/client", "admin-all")
    assert first.headers["authorization"].startswith("Bearer ptla_")
    assert second.headers["authorization"].startswith("Bearer ptlc_")
    assert {request.headers["user-agent"].partition("/")[0] for request in stub.requests} == {"pteroassets"}
    assert {request.headers["accept"] for request in stub.requests} == {"application/json"}
    assert panel.requests_made == 2


def test_a_base_path_of_the_panel_is_kept(stub: Any, make_panel: Make) -> None:
    stub.answer = lambda _: stub.json({})
    panel = make_panel(stub.url + "/panel/")
    panel.application("nodes")
    assert stub.paths == ["/panel/api/application/nodes"]
    assert panel.name == stub.url.removeprefix("http://")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "InvalidSortQuery", errors.RequestRefusedError),
        (401, "AuthenticationException", errors.KeyRejectedError),
        (403, "AccessDeniedHttpException", errors.PermissionMissingError),
        (404, "NotFoundHttpException", errors.NotFoundError),
        (405, "MethodNotAllowedHttpException", errors.RequestRefusedError),
        (409, "ServerStateConflictException", errors.StateConflictError),
        (422, "ValidationException", errors.RequestRefusedError),
    ],
)
def test_each_status_has_its_error_and_is_not_repeated(
    stub: Any, panel: PanelClient, status: int, code: str, kind: type[errors.PanelError]
) -> None:
    stub.answer = lambda _: stub.error(status, code)
    with pytest.raises(kind) as caught:
        panel.client("servers/one/resources")
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code) == (status, code)
    assert "CANARY" not in str(caught.value)
    assert len(stub.requests) == 1


@pytest.mark.parametrize("route", ["resources", "files/list"])
def test_a_node_that_gave_the_panel_no_answer_is_unreachable(stub: Any, panel: PanelClient, route: str) -> None:
    stub.answer = lambda _: stub.node_silent()
    with pytest.raises(errors.NodeUnreachableError, match="can the panel reach Wings"):
        panel.client(f"servers/one/{route}")
    assert len(stub.requests) == 1


@pytest.mark.parametrize(("status", "remedy"), [(404, "does not know this server"), (500, "log of Wings")])
def test_a_node_that_answered_the_panel_with_a_fault_is_up(
    stub: Any, panel: PanelClient, status: int, remedy: str
) -> None:
    stub.answer = lambda _: stub.node_fault(status)
    with pytest.raises(errors.ServerFaultError, match=f"answered the panel {status}.*{remedy}") as caught:
        panel.client("servers/one/resources")
    assert (caught.value.status, caught.value.code) == (504, "DaemonConnectionException")
    assert "CANARY" not in str(caught.value)
    assert len(stub.requests) == 1


def test_a_permission_error_names_the_resource_and_the_setting(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda _: stub.error(403, "AccessDeniedHttpException")
    with pytest.raises(errors.PermissionMissingError, match=r"PTERODACTYL_APP_KEY.*application/users"):
        panel.application("users")


def test_two_factor_authentication_demanded_of_the_account_is_named(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda _: stub.error(400, "TwoFactorAuthRequiredException")
    with pytest.raises(errors.RequestRefusedError, match="two-factor"):
        panel.client("account")


@pytest.mark.parametrize("status", [502, 503])
def test_a_passing_fault_is_asked_again_on_the_clock(
    stub: Any, panel: PanelClient, clock: ManualClock, status: int
) -> None:
    began = clock.now()
    stub.answer = in_turn(lambda: stub.html(status), lambda: stub.html(status), lambda: stub.json({"fine": True}))
    assert panel.application("servers") == {"fine": True}
    assert panel.requests_made == 3
    assert 1 <= (clock.now() - began).total_seconds() < 5


def only_at(stub: Any, route: str, answer: Callable[[], Response]) -> Callable[[Request], Response]:
    """Give *answer* at a route, and a success at all others."""
    return lambda request: answer() if request.url.path.endswith(route) else stub.json({"attributes": {}})


@pytest.mark.parametrize(("status", "attempts"), [(500, 1), (408, 3), (502, 3), (503, 3), (504, 3)])
def test_a_fault_of_one_route_is_told_without_waiting_while_the_panel_answers_at_another(
    stub: Any, panel: PanelClient, clock: ManualClock, status: int, attempts: int
) -> None:
    began = clock.now()
    stub.answer = only_at(stub, "/servers", lambda: stub.error(status, "TypeError"))
    with pytest.raises(errors.ServerFaultError) as caught:
        panel.application("servers")
    assert (caught.value.status, caught.value.code) == (status, "TypeError")
    assert stub.paths == ["/api/application/servers"] * attempts + ["/api/client/account"]
    assert (clock.now() - began).total_seconds() < 2


def test_a_500_of_a_node_is_told_at_once(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda _: stub.error(500, "DaemonConnectionException")
    with pytest.raises(errors.ServerFaultError):
        panel.client("servers/one/files/list", directory="/logs")
    assert len(stub.requests) == 1


@pytest.mark.parametrize("seconds", [7, 60, 150])
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_panel_that_is_down_as_a_whole_is_waited_for(
    stub: Any, panel: PanelClient, clock: ManualClock, status: int, seconds: int
) -> None:
    began = clock.now()

    def answer(_: Request) -> Response:
        is_down = (clock.now() - began).total_seconds() < seconds
        return stub.error(status, "QueryException") if is_down else stub.json({"fine": True})

    stub.answer = answer
    assert panel.application("servers") == {"fine": True}
    assert seconds <= (clock.now() - began).total_seconds() < seconds + 20
    assert panel.requests_made == len(stub.requests) < 40


def test_an_outage_is_waited_out_once_and_not_once_for_each_list(
    stub: Any, panel: PanelClient, clock: ManualClock
) -> None:
    began = clock.now()
    stub.answer = lambda _: stub.error(500, "QueryException")
    with pytest.raises(errors.ServerFaultError, match=r"500.* s of waiting"):
        panel.application("servers")
    assert (clock.now() - began).total_seconds() > 150
    for _ in range(5):
        with pytest.raises(errors.ServerFaultError):
            panel.application("users")
    assert (clock.now() - began).total_seconds() <= 180
    stub.answer = lambda _: stub.json({"fine": True})
    assert panel.application("servers") == {"fine": True}
    again = clock.now()
    stub.answer = lambda _: stub.html(502)
    with pytest.raises(errors.ServerFaultError):
        panel.application("servers")
    assert (clock.now() - again).total_seconds() > 150, "once the panel answered, the next outage is another one"


def test_nothing_but_a_question_ever_leaves_for_the_panel(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda _: stub.json({})
    pydactyl = panel._objects["client"]
    with pytest.raises(errors.RequestRefusedError, match=r"POST /api/client/servers/one/power was not sent"):
        pydactyl._api_request(endpoint="client/servers/one/power", mode="POST", data={"signal": "kill"})
    with pytest.raises(errors.RequestRefusedError, match=r"only reads the panel"):
        pydactyl.servers.send_power_action("one", "restart")
    assert stub.requests == []


def test_a_panel_in_maintenance_for_long_is_not_waited_for(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda _: stub.error(503, "HttpException", headers={"Retry-After": "600"})
    with pytest.raises(errors.ServerFaultError):
        panel.application("servers")
    assert len(stub.requests) == 1


def test_a_refusal_is_waited_for_as_long_as_it_says(stub: Any, panel: PanelClient, clock: ManualClock) -> None:
    began = clock.now()
    limits = {"X-RateLimit-Limit": "240", "X-RateLimit-Remaining": "0", "Retry-After": "41"}
    stub.answer = in_turn(
        lambda: stub.error(429, "ThrottleRequestsException", headers=limits), lambda: stub.json({"fine": True})
    )
    assert panel.application("servers") == {"fine": True}
    assert (clock.now() - began).total_seconds() == 41
    assert panel.rate_limit_remaining == 0


def test_a_refusal_may_say_a_date_or_nothing(stub: Any, panel: PanelClient, clock: ManualClock) -> None:
    began = clock.now()
    stub.answer = in_turn(
        lambda: stub.error(429, "X", headers={"Retry-After": "Sun, 01 Mar 2026 12:00:50 GMT"}),
        lambda: stub.error(429, "X"),
        lambda: stub.json({}),
    )
    panel.client("")
    assert (clock.now() - began).total_seconds() == 20 + 60


def test_refusals_without_end_are_told(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda _: stub.error(429, "ThrottleRequestsException", headers={"Retry-After": "5"})
    with pytest.raises(errors.RateLimitedError):
        panel.client("")
    assert len(stub.requests) == 3


def test_a_pass_of_many_requests_stays_within_what_the_headers_announce(
    stub: Any, panel: PanelClient, clock: ManualClock
) -> None:
    sent: list[datetime] = []

    def answer(_: Request) -> Response:
        sent.append(clock.now())
        left = 50 - sum((clock.now() - other).total_seconds() < 60 for other in sent)
        return stub.json({}, headers={"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": str(left)})

    stub.answer = answer
    for _ in range(100):
        panel.client("")
    for moment in sent:
        assert sum(0 <= (other - moment).total_seconds() < 60 for other in sent) <= 40


@pytest.mark.parametrize("body", ['{"object":"list","da', "<html>login</html>", "[1, 2]", ""])
def test_a_success_without_an_object_is_unreadable(stub: Any, panel: PanelClient, body: str) -> None:
    stub.answer = lambda _: Response(body, media_type="text/html")
    with pytest.raises(errors.UnreadableAnswerError):
        panel.application("servers")


def test_truncated_json_once_costs_one_more_request(stub: Any, panel: PanelClient) -> None:
    stub.answer = in_turn(lambda: Response('{"object":"li', media_type="application/json"), lambda: stub.json({"a": 1}))
    assert panel.application("servers") == {"a": 1}
    assert len(stub.requests) == 2


def test_a_redirect_is_told_and_the_key_not_carried_along(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda _: Response(status_code=302, headers={"Location": stub.url + "/elsewhere"})
    with pytest.raises(errors.RequestRefusedError, match="redirects"):
        panel.application("servers")
    assert stub.paths == ["/api/application/servers"]


@pytest.mark.parametrize(
    ("endpoint", "kind"),
    [("servers/one/resources", errors.NodeUnreachableError), ("", errors.PanelTimeoutError)],
)
def test_silence_of_one_route_is_a_time_out_and_is_not_asked_again(
    stub: Any, make_panel: Make, endpoint: str, kind: type[errors.PanelError]
) -> None:
    release = threading.Event()

    def answer(request: Request) -> Response:
        if not request.url.path.endswith("/account"):
            release.wait(60)
        return stub.json({})

    stub.answer = answer
    panel = make_panel(stub.url, timeout=(1, 0.2))
    began = time.monotonic()
    with pytest.raises(kind):
        panel.client(endpoint)
    assert time.monotonic() - began < 2
    release.set()
    assert [path for path in stub.paths if not path.endswith("/account")] == [
        f"/api/client/{endpoint}".removesuffix("/")
    ]


def test_a_panel_that_is_silent_for_a_while_is_waited_for(stub: Any, make_panel: Make) -> None:
    release = threading.Event()
    silent = [1, 1, 1, 1]

    def answer(_: Request) -> Response:
        if silent:
            silent.pop()
            release.wait(5)
        return stub.json({"fine": True})

    stub.answer = answer
    assert make_panel(stub.url, timeout=(1, 0.2)).application("servers") == {"fine": True}
    release.set()


def broken_server(first_bytes: bytes) -> tuple[str, list[int], socket.socket]:
    """Accept connections, read, say *first_bytes* and hang up."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[int] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            accepted.append(1)
            with connection:
                connection.recv(65536)
                connection.sendall(first_bytes)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}", accepted, listener


@pytest.mark.parametrize(
    "first_bytes", [b"", b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"object"']
)
def test_a_connection_that_breaks_is_made_again(make_panel: Make, first_bytes: bytes) -> None:
    url, accepted, listener = broken_server(first_bytes)
    with listener, pytest.raises(errors.PanelUnreachableError, match=r"1[0-9]+ s of waiting"):
        make_panel(url).application("servers")
    assert 20 < len(accepted) < 40


def whole_text(error: BaseException) -> str:
    """All that a log or a UI could show of an error: its chain, suppressed or not."""
    texts = []
    inner: BaseException | None = error
    while inner is not None:
        texts += traceback.format_exception(inner, chain=False)
        texts.append(repr(inner.__dict__))
        inner = inner.__cause__ or inner.__context__
    return "".join(texts)


def test_no_error_shows_a_key_or_a_query(stub: Any, make_panel: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    listener = socket.create_server(("127.0.0.1", 0))
    refusing = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    shown = []
    for url, status in [(refusing, 0), (stub.url, 401), (stub.url, 500), (stub.url, 422), (stub.url, 502)]:
        stub.answer = lambda _, status=status: stub.error(status, "X")
        with pytest.raises(errors.PanelError) as caught:
            make_panel(url).client("servers/one/files/contents", file="/logs/CANARY.log")
        shown.append(whole_text(caught.value))
    assert "CANARY" not in "".join(shown).replace('file="/logs/CANARY.log"', "")
    assert "urllib3" in caplog.text
    assert "CANARY" not in caplog.text


@pytest.mark.parametrize("key", ["ptlc_CANARY\n", "ptlc CANARY", "ptlc_CANÄRY"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(make_panel: Make, key: str) -> None:
    with pytest.raises(errors.PanelAddressError, match="PTERODACTYL_CLI_KEY") as caught:
        make_panel("http://panel.example.com", client_key=SecretStr(key))
    assert "CAN" not in whole_text(caught.value).replace('"ptlc_CANARY', "")


@pytest.mark.parametrize(
    "url",
    [
        "panel.example.com",
        "ftp://panel.example.com",
        "https://",
        "https://[::1",
        "https://panel.example.com:port",
        "https://mira:CANARY@panel.example.com",
        "https://panel.example.com/?key=CANARY",
    ],
)
def test_what_is_no_address_is_refused_at_once(make_panel: Make, url: str) -> None:
    with pytest.raises(errors.PanelAddressError, match="PTERODACTYL_URL") as caught:
        make_panel(url)
    assert "CANARY" not in str(caught.value)


def test_a_missing_key_is_named_when_it_is_needed(stub: Any, make_panel: Make) -> None:
    panel = make_panel(stub.url, application_key=SecretStr(""), client_key=None)
    with pytest.raises(errors.PanelAddressError, match="PTERODACTYL_APP_KEY"):
        panel.application("servers")
    with pytest.raises(errors.PanelAddressError, match="PTERODACTYL_CLI_KEY"):
        panel.file_contents("one", "/logs/latest.log")
    assert stub.requests == []


def test_a_netrc_does_not_replace_the_key(
    stub: Any, make_panel: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mira password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    stub.answer = lambda _: stub.json({})
    make_panel(stub.url).application("servers")
    assert stub.requests[0].headers["authorization"].startswith("Bearer ")


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    stub: Any, make_panel: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    stub.answer = lambda _: stub.json({"fine": True})
    assert make_panel(stub.url, timeout=(0.5, 5)).application("servers") == {"fine": True}


def test_the_environment_is_read_once_for_each_panel_or_node(monkeypatch: pytest.MonkeyPatch) -> None:
    session = PlainSession(HTTPAdapter(), user_agent="a test")

    def proxies(url: str, **asked: Any) -> dict[str, str]:
        settings = session.merge_environment_settings(url, {}, asked.get("stream", False), None, None)
        assert settings["stream"] is asked.get("stream", False)
        return dict(settings["proxies"])

    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    assert proxies("http://panel.example/api/client")["http"] == "http://192.0.2.1:9"
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.2:9")
    assert proxies("http://panel.example/api/client/account")["http"] == "http://192.0.2.1:9"
    assert proxies("http://panel.example/api/client", stream=True)["http"] == "http://192.0.2.2:9"
    assert proxies("http://node.example:8080/download")["http"] == "http://192.0.2.2:9"


def test_no_cookie_of_the_panel_is_sent_back(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda _: stub.json({}, headers={"Set-Cookie": "pterodactyl_session=x; Path=/"})
    panel.application("servers")
    panel.application("servers")
    assert "cookie" not in stub.requests[1].headers


def test_connections_are_used_again(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda _: stub.json({"attributes": {}})
    for _ in range(5):
        panel.client("account")
        panel.file_contents("one", "/logs/latest.log")
        panel.application("servers")
    assert len({request.client.port for request in stub.requests}) == 1
