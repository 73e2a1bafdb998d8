"""What a check of the platform found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found, and how to correct a fault."""

    subject: str
    status: Literal["ok", "warning", "fault"]
    detail: str
    remedy: str = ""
