"""One drop's decision in words: measured, expected, proposed, sent, read back, and why."""

from __future__ import annotations

from magis_calib.domain.control import Expectation, RuleVerdict, Setpoints, gain_in_words
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import OBSERVABLES, quantity_of, utc_moment
from magis_calib.domain.rules import RULES, Rule


def explained(record: DropRecord) -> str:
    """Write everything about the decision, a line for each thing."""
    return "\n".join(line for lines in sections(record).values() for line in lines)


def sections(record: DropRecord) -> dict[str, list[str]]:
    """Write the same in parts, each under its title; a part may be empty."""
    decision = record.decision
    proposal = record.decision.proposal
    head = (
        f"drop {record.drop_id} · {utc_moment(record.time_ns)} · "
        f"{record.sequence_type.replace('_', ' ')}"
    )
    moved = [f"limited: {limit}" for limit in proposal.limits] if proposal is not None else []
    moved += [_chain(record, name) for name in proposal.proposed] if proposal is not None else []
    stages = ", ".join(f"{name} {seconds * 1e3:.0f} ms" for name, seconds in record.stage_s.items())
    took = decision.received_to_applied_s
    times = [f"from received to applied: {took * 1e3:.0f} ms"] if took is not None else []
    times += [f"stages: {stages}"] if stages else []
    return {
        "decision": [head, decision.in_words()],
        "measured and expected": [_observable(record, name) for name in OBSERVABLES],
        "estimate": [f"estimate: {reason}" for reason in record.estimate.reasons],
        "gates and holds": [_verdict(verdict) for verdict in decision.verdicts],
        "setpoints": [*_tuned(record), *moved],
        "times and notes": [*times, *([f"note: {record.note}"] if record.note else [])],
    }


def _observable(record: DropRecord, name: str) -> str:
    """Write what was measured, predicted and expected of one observable, or why it is not used."""
    quantity = OBSERVABLES[name]
    estimate = record.estimate
    found, proposal = record.decision.expectation, record.decision.proposal
    parts = [f"measured {quantity.with_error(estimate.values[name], estimate.stderr[name])}"]
    parts += _expected(found, name) if found is not None else []
    parts += (
        [f"error expected {quantity.shown(proposal.error[name])}"]
        if proposal and name in proposal.error
        else []
    )
    written = f"{quantity.label}: {', '.join(parts)} {quantity.shown_unit}".replace("-", "−")
    reason = record.decision.not_used.get(name)
    return (
        f"{written}; not used: {reason}" if reason and reason != record.decision.reason else written
    )


def _expected(found: Expectation, name: str) -> list[str]:
    quantity = OBSERVABLES[name]
    sigma = found.innovation_sigma.get(name)
    told = {
        "predicted": found.prediction,
        "of it from the setpoints": found.response,
        "innovation": found.innovation,
    }
    parts = [
        f"{word} {quantity.shown(values[name])}" for word, values in told.items() if name in values
    ]
    return (
        [*parts[:-1], f"{parts[-1]} ± {quantity.shown(sigma)} expected"]
        if sigma and name in found.innovation
        else parts
    )


def _tuned(record: DropRecord) -> list[str]:
    """Write the gains and limits that were not as configured, a line for each."""
    lines = [
        f"gain of {OBSERVABLES[name].label} in force: {gain_in_words(gain)}, not as configured"
        for name, gain in record.gains.items()
    ]
    for name, one in record.limits.items():
        shown = quantity_of(name)
        excursion = one.excursion if isinstance(one.excursion, str) else shown.shown(one.excursion)
        written = (
            f"limits of {shown.label} in force: [{shown.shown(one.minimum)}, "
            f"{shown.shown(one.maximum)}], step "
            f"cap {shown.shown(one.step_cap)}, excursion {excursion} {shown.shown_unit}"
        )
        lines.append(f"{written.rstrip()}, not as configured".replace("-", "−"))
    return lines


def _verdict(verdict: RuleVerdict) -> str:
    """Write what a gate or hold said.

    Where it stopped the drop, also how often it does so without need.
    """
    rule = RULES.get(verdict.rule)
    kind = rule.kind if rule else "rule"
    word = "passed" if verdict.passed else "STOPPED"
    written = f"{kind} {verdict.rule}: {word}" + (f", {verdict.words}" if verdict.words else "")
    return written if verdict.passed or rule is None else f"{written} ({_about(rule)})"


def _about(rule: Rule) -> str:
    return f"without need {rule.false_alarms_per_1000:g} of 1000 drops; {rule.way_out}"


def _chain(record: DropRecord, name: str) -> str:
    """Write one actuator's way: in force, proposed, limited, sent, read back."""
    decision = record.decision
    proposal = record.decision.proposal
    quantity = quantity_of(name)
    steps: list[tuple[str, Setpoints]] = [("in force", record.in_force)]
    if proposal is not None:
        steps += [("proposed", proposal.proposed), ("limited", proposal.limited)]
    steps += [("sent", decision.sent), ("read back", decision.readback)]
    written = " → ".join(
        f"{word} {quantity.shown(one[name])}" for word, one in steps if name in one
    )
    return f"{quantity.label}: {written} {quantity.shown_unit}".rstrip().replace("-", "−")
