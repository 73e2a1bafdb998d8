"""What people are told of a failed run or check of Dagster's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pteroassets.alarms.outbox import Embed, Message, Severity, escaped
from pteroassets.alarms.redaction import redact

_LONGEST_TEXT = 1_900
_COLOURS = {"ERROR": 0xB3261E, "WARN": 0xC98A00}
SEVERITIES: dict[str, Severity] = {"ERROR": "critical", "WARN": "warning"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed run, or a check that began to fail; *link* is None if the address of the UI is unknown.

    *subject* is what fails: the name of the job, or ``asset:check``.
    """

    id: str
    kind: Literal["run_failure", "check_failure"]
    severity: Literal["ERROR", "WARN"]
    run_id: str
    what: str
    occurred_at: datetime
    message: str
    link: str | None
    subject: str = ""

    def as_message(self, target: str, secrets: Collection[str] = ()) -> Message:
        """Return the message of this failure for *target*, its texts free of *secrets*."""
        message = redact(self.message, secrets)[:_LONGEST_TEXT]
        line = f"{self.severity}: {self.what} failed: {message}"
        text = line[: _LONGEST_TEXT - len(self.link or "") - 1] + (f"\n{self.link}" if self.link else "")
        facts: dict[str, str | None] = {
            "kind": self.kind,
            "severity": self.severity,
            "run_id": self.run_id,
            "what": self.what,
            "occurred_at": self.occurred_at.isoformat(timespec="seconds"),
            "message": message,
            "link": self.link,
        }
        return Message(
            key=self.id,
            target=target,
            embeds=(
                Embed(
                    title=f"{self.severity}: {escaped(self.what)} failed",
                    description=escaped_lines(message),
                    url=self.link,
                    colour=_COLOURS[self.severity],
                    at=self.occurred_at,
                ),
            ),
            severity=SEVERITIES[self.severity],
            text=text,
            facts=facts,
        )


def escaped_lines(text: str) -> str:
    """Return *text* so that Discord shows each of its lines as it is."""
    return "\n".join(escaped(line) for line in text.splitlines())
