"""Codes of decisions that were recorded before there were codes, from the words of that time.

Nothing else concludes from words. The texts are those of old recordings: they never change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WISHES = {
    "the loop is open: the operator moves setpoints by hand": "open",
    "the operator holds the loop": "held",
    "shadow: decided and logged, nothing is sent": "shadow",
    "a procedure moves the setpoints": "procedure",
}
BEGINNINGS = {"fault: ": "fault", "poke failed": "poke"}


def code_of(decision: Mapping[str, Any]) -> str:
    """Return the code of a decision, as far as its words tell it."""
    reason = decision["reason"]
    if decision["outcome"] == "applied":
        return ""
    if decision["outcome"] == "held":
        if reason.endswith("nothing was sent"):
            return "absent"
        begins = (code for words, code in BEGINNINGS.items() if reason.startswith(words))
        if outside := WISHES.get(reason) or next(begins, ""):
            return outside
    failed = (one["rule"] for one in decision.get("verdicts", ()) if not one["passed"])
    return next(failed, "not_told")


def code_of_verdict(verdict: Mapping[str, Any]) -> str:
    """Return which of its causes a rule named."""
    stale = verdict["rule"] == "fresh" and not verdict["passed"]
    return "stale" if stale and verdict["words"].startswith("stale") else ""


def phase_was_random(decision: Mapping[str, Any]) -> bool:
    """Return whether the phase was not used because it did not repeat."""
    reason: str = decision.get("not_used", {}).get("phase_rad", "")
    return reason.startswith("phase not meaningful")
