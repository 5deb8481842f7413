"""Every fault, what is expected of the application, and how to see that in what is left of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.benchmarks.faults.running import FIRST, LAST, Seen

Judge = Callable[[Seen], str]
"""Says what was otherwise; empty where all was as expected."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault."""

    name: str
    expected: str
    faults: str
    judge: Judge
    last: int = LAST
    operator: bool = False
    """The way out of it is that the operator closes the loop again."""
    disk: str = ""
    """What the disk that is recorded on is like in those drops (bad_disk.c)."""


def fault(kind: str, *, first: int = FIRST, last: int | None = LAST, **fields: object) -> str:
    """Return the table of one fault."""
    until = {} if last is None else {"until_drop": last}
    told = {name: f'"{value}"' if isinstance(value, str) else value for name, value in fields.items()}
    lines = [f"{name} = {value}" for name, value in {"from_drop": first, **until, **told}.items()]
    return "\n".join(["[[fault]]", f'kind = "{kind}"', *lines, ""])


def all_as(outcome: str, *words: str) -> Judge:
    """Every drop with the fault ends so, with these words among its reasons."""
    return some_as(outcome, *words, least=None)


def some_as(outcome: str, *words: str, least: int | None = 1) -> Judge:
    """At least so many (None: all) drops with the fault end so, with these words among their reasons."""

    def judge(seen: Seen) -> str:
        told = [
            (one.decision.outcome, f"{one.decision.reason}; {'; '.join(one.estimate.reasons)}") for one in seen.during()
        ]
        right = [one for one in told if one[0] == outcome and all(word in one[1] for word in words)]
        wanted = len(told) if least is None else least
        return "" if len(right) >= wanted else f"wanted {wanted} {outcome} with {words}, got {len(right)} of {told[:3]}"

    return judge


def alarm(*words: str) -> Judge:
    """An alarm says so."""

    def judge(seen: Seen) -> str:
        missing = [word for word in words if word not in seen.alarms]
        return f"no alarm with {missing}: {seen.alarms[:300]}" if missing else ""

    return judge


def never_applied_while(seen: Seen) -> str:
    """Nothing is applied once the loop is held."""
    held = [one.drop_id for one in seen.during() if one.decision.outcome == "held"]
    after = [
        one.drop_id for one in seen.during() if held and one.drop_id > held[0] and one.decision.outcome == "applied"
    ]
    return f"applied in {after} after it was held" if after else "" if held else "never held"


def both(*judges: Judge) -> Judge:
    """All of these."""
    return lambda seen: "; ".join(filter(None, (one(seen) for one in judges)))


NOTHING = all_as("applied")
INCOMPLETE = "no frame of view"
AGAIN = "controller_restart"
ROWS: Sequence[Row] = (
    Row("frame lost", "drops incomplete, held", fault("frame_lost", view="x"), all_as("held", INCOMPLETE)),
    Row("frame duplicated", "nothing: counted once", fault("frame_duplicated", view="x"), NOTHING),
    Row(
        "frame late",
        "used when it comes; what comes after a later drop is not",
        fault("frame_late", view="x", delay_s=1.2),
        some_as("applied"),
    ),
    Row("views swapped", "noticed, held", fault("views_swapped"), all_as("held", "look exchanged")),
    Row(
        "shuffled order",
        "nothing is decided on a drop before the newest",
        fault("frames_shuffled", view="y"),
        some_as("held", "out of order"),
    ),
    Row(
        "frame truncated",
        "asked for again, nothing lost",
        fault("frame_truncated", view="x"),
        both(NOTHING, alarm("wanted 786432")),
    ),
    Row("bit flipped", "asked for again, nothing lost", fault("bit_flipped", view="x"), both(NOTHING, alarm("CRC-32"))),
    Row(
        "wrong shape",
        "refused by name, drops incomplete",
        fault("wrong_shape", view="x"),
        both(all_as("held", INCOMPLETE), alarm("rows, columns: wanted (512, 768), got (513, 768)")),
    ),
    Row("dark", "no cloud, held", fault("dark"), all_as("held", "no cloud")),
    Row("saturated", "held with a reason", fault("saturated"), all_as("held", "view x", "view y")),
    Row("half exposed", "held with a reason", fault("half_exposed"), all_as("held", "view x", "view y")),
    Row(
        "camera driver dies",
        "drops incomplete, an alarm names the camera",
        fault("camera_dies", view="x"),
        both(all_as("held", INCOMPLETE), alarm("camera x")),
    ),
    Row(
        "camera driver restarts",
        "joins again, nothing lost but what it held",
        fault("camera_restarts", view="x", last=None),
        some_as("applied", least=8),
    ),
    Row(
        "camera changes session", "joins again, nothing lost", fault("camera_new_session", view="x", last=None), NOTHING
    ),
    Row("camera stutters", "drops are held until it catches up", fault("camera_stutters", view="x"), all_as("held")),
    Row(
        "laser silent",
        "held, the laser is named",
        fault("controller_silent", controller="laser", last=35),
        both(some_as("held", "laser did not answer", least=10), alarm("laser did not answer")),
        last=35,
    ),
    Row(
        "drop system silent",
        "held, the drop system is named",
        fault("controller_silent", controller="drop_system", last=35),
        both(some_as("held", "drop_system did not answer", least=10), alarm("drop_system did not answer")),
        last=35,
    ),
    Row("controller slow", "nothing but time", fault("controller_slow", controller="laser", delay_s=0.3), NOTHING),
    Row(
        "controller too slow",
        "held, the laser is named",
        fault("controller_slow", controller="laser", delay_s=2.0, last=35),
        both(some_as("held", "laser did not answer", least=10), alarm("laser did not answer")),
        last=35,
    ),
    Row(
        "controller refuses",
        "refused, nothing moves",
        fault("refuses", controller="laser"),
        both(all_as("refused", "laser cannot move now"), alarm("laser refused")),
    ),
    Row(
        "controller dies after check",
        "unverified, the setpoints are read again",
        fault("controller_dies_after_check", controller="drop_system"),
        both(some_as("unverified", "did not answer 'write'"), alarm("unverified")),
    ),
    Row(
        "clamps silently",
        "the read-back tells: held until the operator closes the loop",
        fault("clamps", name="mirror_tilt_x_rad", minimum=0.0, maximum=1e-7),
        both(some_as("unverified", "reads"), never_applied_while, alarm("wanted 4")),
        operator=True,
    ),
    Row(
        "lies in its read-back",
        "held until the operator closes the loop",
        fault("reads_off", name="mirror_tilt_x_rad", size=5e-6),
        both(some_as("held"), never_applied_while, alarm("mirror tilt x")),
        operator=True,
    ),
    Row(
        "stuck actuator",
        "named, held until the operator closes the loop",
        fault("actuator", name="trap_x_m", factor=0.0, last=85)
        + fault("disturbance", observable="x_m", size=1e-4, first=21, last=85),
        both(some_as("held", "does not do what the matrix says", "trap x"), alarm("trap x")),
        last=85,
        operator=True,
    ),
    Row(
        "sign flipped",
        "named, held until the operator closes the loop",
        fault("actuator", name="trap_x_m", factor=-1.0, last=85)
        + fault("disturbance", observable="x_m", size=1e-4, first=21, last=85),
        both(some_as("held", "does not do what the matrix says", "trap x"), alarm("trap x")),
        last=85,
        operator=True,
    ),
    Row(
        "unit changed",
        "held while the controller describes another unit",
        fault(AGAIN, controller="drop_system", last=None)
        + fault("unit_changed", name="trap_x_m", unit="mm")
        + fault(AGAIN, controller="drop_system", first=LAST + 1, last=None),
        both(all_as("held", "unit 'mm', wanted 'm'"), alarm("unit 'mm'")),
    ),
    Row(
        "restarted with other values",
        "read anew, counted on from there",
        fault(AGAIN, controller="drop_system", last=None) + "setpoints = { trap_x_m = 2e-5 }\n",
        some_as("applied", least=8),
    ),
    Row(
        "laser unlocked",
        "held while the laser says so",
        fault("unlocked"),
        both(some_as("held", "lock", least=8), alarm("lock")),
    ),
    Row(
        "camera cut off",
        "nothing is lost: its frames come afterwards",
        fault("network_cut", peer="camera x"),
        some_as("held"),
    ),
    Row(
        "laser cut off",
        "held, the laser is named",
        fault("network_cut", peer="laser", last=35),
        some_as("held", "laser", least=10),
        last=35,
    ),
    Row(
        "laser heard by nobody",
        "held, the laser is named",
        fault("network_cut", peer="laser", way="to_application", last=35),
        some_as("held", "laser", least=10),
        last=35,
    ),
    Row(
        "drop system hears nobody",
        "held, the drop system is named",
        fault("network_cut", peer="drop_system", way="from_application", last=35),
        some_as("held", "drop_system", least=10),
        last=35,
    ),
    Row(
        "clock stepped forward",
        "requests come too late for the controllers: held",
        fault("clock_stepped", size_s=60.0),
        both(all_as("held", "expired"), alarm("expired")),
    ),
    Row("clock stepped back", "nothing", fault("clock_stepped", size_s=-60.0), NOTHING),
    Row("no atoms", "no cloud, held", fault("no_atoms"), both(all_as("held", "no cloud"), alarm("no cloud"))),
    Row("few atoms", "held with a reason", fault("few_atoms", factor=0.02), all_as("held")),
    Row("two clouds", "held with a reason", fault("two_clouds"), all_as("held", "view x")),
    Row("cloud out of view", "held with a reason", fault("out_of_view"), all_as("held", "view x")),
    Row(
        "contrast lost",
        "position goes on, the fringe is not used",
        fault("contrast_lost"),
        all_as("applied", "no fringe"),
    ),
    Row("phase scrambled", "jumps are not followed", fault("phase_scrambled"), some_as("held", "jump", least=2)),
    Row(
        "drifts faster than the loop",
        "step caps hold; reported",
        fault("drifts", observable="x_m", size=8e-5),
        some_as("applied"),
    ),
    Row("disk slow", "nothing: frames wait in memory", "", NOTHING, disk="slow 0.5"),
    Row(
        "disk full",
        "an alarm names it, drivers keep their frames and send them again; the loop goes on",
        "",
        both(NOTHING, alarm("No space left")),
        disk="full",
    ),
    Row(
        "disk read-only",
        "an alarm names it, drivers keep their frames and send them again; the loop goes on",
        "",
        both(NOTHING, alarm("Read-only file system")),
        disk="read-only",
    ),
)
