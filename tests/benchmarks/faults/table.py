"""Every fault, and what is expected of the application."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.faults.expecting import (
    Row,
    alarm,
    all_as,
    both,
    fault,
    never_applied_while,
    some_as,
)
from tests.benchmarks.faults.running import LAST

NOTHING = all_as("applied")
INCOMPLETE = "no frame of view"
AGAIN = "controller_restart"
ROWS: Sequence[Row] = (
    Row(
        "frame lost",
        "drops incomplete, held",
        fault("frame_lost", view="x"),
        all_as("held", INCOMPLETE),
    ),
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
    Row(
        "bit flipped",
        "asked for again, nothing lost",
        fault("bit_flipped", view="x"),
        both(NOTHING, alarm("CRC-32")),
    ),
    Row(
        "wrong shape",
        "refused by name, drops incomplete",
        fault("wrong_shape", view="x"),
        both(all_as("held", INCOMPLETE), alarm("rows, columns: wanted (512, 768), got (513, 768)")),
    ),
    Row("dark", "no cloud, held", fault("dark"), all_as("held", "no cloud")),
    Row("saturated", "held with a reason", fault("saturated"), all_as("held", "view x", "view y")),
    Row(
        "half exposed",
        "held with a reason",
        fault("half_exposed"),
        all_as("held", "view x", "view y"),
    ),
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
        "camera changes session",
        "joins again, nothing lost",
        fault("camera_new_session", view="x", last=None),
        NOTHING,
    ),
    Row(
        "camera stutters",
        "drops are held until it catches up",
        fault("camera_stutters", view="x"),
        all_as("held"),
    ),
    Row(
        "laser silent",
        "held, the laser is named",
        fault("controller_silent", controller="laser", last=35),
        both(some_as("held", "laser", least=10), alarm("laser: silent for")),
        last=35,
    ),
    Row(
        "drop system silent",
        "held, the drop system is named",
        fault("controller_silent", controller="drop_system", last=35),
        both(
            some_as("held", "drop_system did not answer", least=10),
            alarm("drop_system did not answer"),
        ),
        last=35,
    ),
    Row(
        "controller slow",
        "nothing but time",
        fault("controller_slow", controller="laser", delay_s=0.3),
        NOTHING,
    ),
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
        "held while it does not read what was written",
        fault("reads_off", name="mirror_tilt_x_rad", size=5e-6),
        both(all_as("held", "mirror tilt x reads"), alarm("the loop does not correct")),
    ),
    Row(
        "stuck actuator",
        "held before it is driven far: at its limit, or as one that does not do what the matrix "
        "says",
        fault("actuator", name="trap_x_m", factor=0.0, last=85)
        + fault("disturbance", observable="x_m", size=1e-4, first=21, last=85),
        both(some_as("held", "trap x", least=40), alarm("the loop does not correct")),
        last=85,
    ),
    Row(
        "sign flipped",
        "held before it is driven far, and named",
        fault("actuator", name="trap_x_m", factor=-1.0, last=85)
        + fault("disturbance", observable="x_m", size=1e-4, first=21, last=85),
        both(some_as("held", "trap x", least=30), alarm("the loop does not correct")),
        last=85,
    ),
    Row(
        "unit changed",
        "held while the controller describes another unit",
        fault(AGAIN, controller="drop_system", last=None)
        + fault("unit_changed", name="trap_x_m", unit="mm")
        + fault(AGAIN, controller="drop_system", first=LAST + 1, last=None),
        both(
            all_as("held"),
            some_as("held", "unit 'mm', wanted 'm'", least=10),
            alarm("the loop does not correct"),
        ),
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
    Row(
        "no atoms",
        "no cloud, held",
        fault("no_atoms"),
        both(all_as("held", "no cloud"), alarm("no cloud")),
    ),
    Row(
        "few atoms",
        "held; used with their larger errors once three in a row agree",
        fault("few_atoms", factor=0.02),
        some_as("held", "atoms", least=2),
    ),
    Row(
        "one wild drop",
        "held as a jump",
        fault("wild", observable="x_m", size=1e-3, first=20, last=None),
        both(some_as("held", "jump"), some_as("applied", least=8)),
    ),
    Row(
        "two clouds",
        "a view that shows both is not used",
        fault("two_clouds"),
        all_as("held", "view x", "light elsewhere"),
    ),
    Row("cloud out of view", "held with a reason", fault("out_of_view"), all_as("held", "view x")),
    Row(
        "contrast lost",
        "position goes on, the fringe is not used",
        fault("contrast_lost"),
        all_as("applied", "no fringe"),
    ),
    Row(
        "phase scrambled",
        "held as surprising",
        fault("phase_scrambled"),
        both(some_as("held", "innovations", least=5), alarm("the loop does not correct")),
    ),
    Row(
        "drifts faster than the loop",
        "step caps hold; reported",
        fault("drifts", observable="x_m", size=8e-5),
        some_as("applied"),
    ),
    Row(
        "picture repeated",
        "held: the same pixels again are no picture of this drop",
        fault("picture_repeated", view="x"),
        both(all_as("held", "the same picture as that of drop 15"), alarm("the same picture")),
    ),
    Row(
        "counts all zero",
        "held, the view is named",
        fault("counts_zero", view="y"),
        both(all_as("held", "every count is 0"), alarm("view y: every count is 0")),
    ),
    Row(
        "counts aligned to the other side",
        "held: they are no multiples of what the camera says",
        fault("counts_shifted", view="x"),
        both(all_as("held", "no multiples of lsb_counts"), alarm("view x", "other alignment")),
    ),
    Row(
        "bytes of counts exchanged",
        "held: they are no multiples of what the camera says",
        fault("bytes_swapped", view="x"),
        both(all_as("held", "no multiples of lsb_counts"), alarm("view x", "other alignment")),
    ),
    Row(
        "view x dark",
        "what the other view tells is corrected; an alarm says that this one is blind",
        fault("view_dark", view="x"),
        both(some_as("applied", least=8), alarm("view x has told nothing for 10 drops: no cloud")),
    ),
    Row(
        "view y dark",
        "what the other view tells is corrected; an alarm says that this one is blind",
        fault("view_dark", view="y"),
        both(some_as("applied", least=8), alarm("view y has told nothing for 10 drops: no cloud")),
    ),
    Row(
        "trigger of another moment",
        "held: a picture that is perhaps of another drop",
        fault("trigger_off", view="x", size_s=0.5),
        both(all_as("held", "triggered 0.5 s after"), alarm("triggered 0.5 s after")),
    ),
    Row(
        "trigger of another year",
        "held, the clock is named",
        fault("trigger_off", view="y", size_s=-1.7e9),
        both(all_as("held", "h before the planned time"), alarm("view y: triggered")),
    ),
    Row(
        "exposure longer than the interval",
        "held: a header that cannot be",
        fault("exposure_wrong", view="x", exposure_s=100.0),
        both(all_as("held", "exposure_s 100"), alarm("exposure_s 100")),
    ),
    Row(
        "drop numbers begin again",
        "held for good: pictures cannot be told from earlier ones; the drop system is named",
        fault("numbers_again", last=None),
        alarm("the drop system counts again: drop 1 was announced after drop 15"),
        for_good=True,
    ),
    Row(
        "answers before the motion",
        "nothing: the motion is waited for",
        fault("reads_old", controller="laser"),
        NOTHING,
    ),
    Row(
        "knows nothing of drops",
        "nothing: a write counts from the next drop that is announced",
        fault("knows_no_drops", controller="laser"),
        NOTHING,
    ),
    Row(
        "reads back too much",
        "what was not described is left out and told",
        fault("reads_more", controller="laser"),
        both(NOTHING, alarm("reads back 'shutter', which it does not describe")),
    ),
    Row(
        "setpoints take effect a drop late",
        "held and named",
        fault("acts_late", controller="drop_system", first=1, last=25),
        both(some_as("held"), alarm("a drop later than told")),
        operator=True,
    ),
    Row(
        "two actuators exchanged",
        "held before they are driven far, and named",
        fault("exchanged", name="trap_x_m", other="trap_y_m", first=1, last=25),
        both(some_as("held", "trap", least=5), alarm("look exchanged")),
        operator=True,
    ),
    Row("disk slow", "nothing: frames wait in memory", "", NOTHING, disk="slow 0.5"),
    Row(
        "disk full",
        "an alarm and each driver told why; the loop goes on, all but the images is recorded "
        "afterwards",
        "",
        both(NOTHING, alarm("No space left")),
        disk="full",
    ),
    Row(
        "disk read-only",
        "an alarm and each driver told why; the loop goes on, all but the images is recorded "
        "afterwards",
        "",
        both(NOTHING, alarm("Read-only file system")),
        disk="read-only",
    ),
)
