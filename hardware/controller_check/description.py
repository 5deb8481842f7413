"""What a controller says of its parameters, of where they stand, and of itself."""

from __future__ import annotations

from collections.abc import Iterator

from hardware.controller_check.conversation import in_words
from hardware.controller_check.subject import Subject
from hardware.finding import Finding, judged, not_seen
from magis_calib.config.loop import ActuatorConfig
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.link.control_messages import ParameterMessage


def description(subject: Subject) -> Iterator[Finding]:
    """Ask for the description, the read-back and the state words."""
    subject.tell("describe, read, status")
    answer = subject.first.ask("describe")
    told = answer.parameters if answer is not None and answer.ok else None
    check = "describes its parameters"
    yield judged(check, bool(told), "`parameters`", _lacks(in_words(answer), "parameters"))
    subject.parameters = told or {}
    if told:
        yield from _names(subject)
        yield from _numbers(subject)
        yield from _readback(subject)
    yield from _status(subject)


def _lacks(words: str, field: str) -> str:
    return f"an answer without `{field}`" if words == "accepted" else words


def _of_loop(subject: Subject) -> dict[str, ActuatorConfig]:
    """Return what the loop moves by this controller."""
    station, name = subject.to.station, subject.to.name
    return {key: one for key, one in station.loop.actuators.items() if station.owners[key] == name}


def _names(subject: Subject) -> Iterator[Finding]:
    wanted, told = set(_of_loop(subject)), set(subject.parameters)
    missing = sorted(wanted - told)
    check = "describes what the configuration's loop moves"
    yield judged(check, not missing, f"{sorted(wanted)}", f"none of {missing}")
    owners = subject.to.station.owners
    foreign = sorted(one for one in told if owners.get(one, subject.to.name) != subject.to.name)
    check = "describes nothing that is another controller's"
    yield judged(check, not foreign, "none", f"{foreign}")


def _numbers(subject: Subject) -> Iterator[Finding]:
    told = subject.parameters
    units = [
        f"{name} in {one.unit!r}, not {ACTUATORS[name].unit!r}"
        for name, one in told.items()
        if name in ACTUATORS and one.unit != ACTUATORS[name].unit
    ]
    yield judged("units are those of the document", not units, "SI", "; ".join(units))
    ranges = [words for name, one in told.items() if (words := _narrow(subject, name, one))]
    check = "ranges hold those of the configuration's loop"
    yield judged(check, not ranges, "minimum < maximum, wide enough", "; ".join(ranges))
    coarse = [
        f"{name}: {one.step_limit:g}, {one.readback_tolerance:g}, {one.resolution:g}"
        for name, one in told.items()
        if not one.step_limit > one.readback_tolerance >= one.resolution / 2
    ]
    check = "steps are told from their tolerance, and that from its rounding"
    wanted = "step_limit > readback_tolerance >= resolution / 2"
    yield judged(check, not coarse, wanted, "; ".join(coarse))
    turned = [
        f"{name}: {told[name].direction:+d}, not {own.direction:+d}"
        for name, own in _of_loop(subject).items()
        if name in told and told[name].direction != own.direction
    ]
    check = "directions are those of the configuration"
    yield judged(check, not turned, "the same sign", "; ".join(turned))


def _narrow(subject: Subject, name: str, told: ParameterMessage) -> str:
    """Say what is wrong with a range; empty where nothing is."""
    own = _of_loop(subject).get(name)
    wide = own is None or (told.minimum <= own.minimum and own.maximum <= told.maximum)
    got = f"{name}: [{told.minimum:g}, {told.maximum:g}]"
    if told.minimum < told.maximum and wide:
        return ""
    return got if own is None else f"{got}, not around [{own.minimum:g}, {own.maximum:g}]"


def _readback(subject: Subject) -> Iterator[Finding]:
    answer = subject.first.ask("read")
    told = answer.readback if answer is not None and answer.ok else None
    check = "reads back"
    yield judged(check, told is not None, "`readback`", _lacks(in_words(answer), "readback"))
    if told is None:
        return
    subject.readback = told
    more = sorted(told.keys() - subject.parameters.keys())
    less = sorted(subject.parameters.keys() - told.keys())
    got = "; ".join([f"{one} too much" for one in more] + [f"no {one}" for one in less])
    yield judged("reads back what it describes", not got, "all of it, and nothing else", got)
    outside = [
        f"{name} = {subject.with_unit(name, value)}"
        for name, value in subject.readback.items()
        if name in subject.parameters
        and not abs(value - subject.known[name]) <= subject.parameters[name].readback_tolerance
    ]
    yield judged("reads back what is within its ranges", not outside, "none outside", str(outside))


def _status(subject: Subject) -> Iterator[Finding]:
    answer = subject.first.ask("status")
    told = answer.status if answer is not None and answer.ok else None
    state = (told or {}).get("state")
    got = _lacks(in_words(answer), "status") if told is None else f"state {state!r}"
    good = isinstance(state, str) and state != ""
    yield judged("tells its state", good, "a word in `state`: ready, or what else", got)
    check = "says of its lock true or false"
    if "locked" not in (told or {}):
        yield not_seen(check, "no `locked` in its status: a device without a lock")
        return
    locked = (told or {})["locked"]
    yield judged(check, isinstance(locked, bool), "true or false", repr(locked))
