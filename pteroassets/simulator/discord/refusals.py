"""What Discord refuses, with the status, the code and the words of its documentation."""

from __future__ import annotations

from typing import Any, Final

_KNOWN: Final[dict[str, tuple[int, int, str]]] = {
    "unauthorized": (401, 0, "401: Unauthorized"),
    "unknown channel": (404, 10003, "Unknown Channel"),
    "unknown guild": (404, 10004, "Unknown Guild"),
    "unknown member": (404, 10007, "Unknown Member"),
    "unknown message": (404, 10008, "Unknown Message"),
    "unknown user": (404, 10013, "Unknown User"),
    "unknown webhook": (404, 10015, "Unknown Webhook"),
    "unknown interaction": (404, 10062, "Unknown interaction"),
    "unknown command": (404, 10063, "Unknown application command"),
    "user agent": (403, 40333, "internal network error"),
    "answered already": (400, 40060, "Interaction has already been acknowledged."),
    "missing access": (403, 50001, "Missing Access"),
    "not yours": (403, 50005, "Cannot edit a message authored by another user"),
    "empty": (400, 50006, "Cannot send an empty message"),
    "missing permissions": (403, 50013, "Missing Permissions"),
    "bulk count": (
        400,
        50016,
        "Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100 messages",
    ),
    "webhook token": (401, 50027, "Invalid Webhook Token"),
    "too old": (400, 50034, "You can only bulk delete messages that are under 14 days old."),
    "too large": (413, 40005, "Request entity too large"),
    "bad json": (400, 50109, "The request body contains invalid JSON."),
}


class Refusal(Exception):  # noqa: N818 - an answer rather than an error of ours
    """An answer that is not a success.

    *errors* is Discord's nested object: keys are fields, leaves are lists under ``_errors``.
    """

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        errors: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body: dict[str, Any] = {"message": message, "code": code, **(more or {})}
        if errors:
            self.body["errors"] = errors


def refusal(name: str) -> Refusal:
    """Return the refusal of that *name* in this module."""
    status, code, message = _KNOWN[name]
    return Refusal(status, code, message)


class FieldFaults:
    """Collects faults by the field that has them, for one answer 50035."""

    def __init__(self) -> None:
        self._errors: dict[str, Any] = {}

    def add(self, path: str, code: str, message: str) -> None:
        """Note a fault of the field at *path*, keys separated by dots."""
        place = self._errors
        for key in path.split("."):
            place = place.setdefault(key, {})
        place.setdefault("_errors", []).append({"code": code, "message": message})

    def longest(self, path: str, text: Any, limit: int) -> int:
        """Note that *text* is no text or longer than *limit* once trimmed; return its length."""
        if text is None:
            return 0
        if not isinstance(text, str):
            self.add(path, "BASE_TYPE_STRING", "Could not interpret value as string.")
            return 0
        length = len(text.strip())
        if length > limit:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")
        return length

    def required(self, path: str, value: Any) -> bool:
        """Note that *value* is missing; return whether it is there."""
        if value is None or (isinstance(value, str) and not value.strip()):
            self.add(path, "BASE_TYPE_REQUIRED", "This field is required")
            return False
        return True

    def most(self, path: str, values: list[Any], limit: int) -> None:
        """Note that there are more *values* than *limit*."""
        if len(values) > limit:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be {limit} or fewer in length.")

    def check(self) -> None:
        """Raise what was noted.

        Raises:
            Refusal: 50035, if anything was.
        """
        if self._errors:
            raise Refusal(400, 50035, "Invalid Form Body", errors=self._errors)
