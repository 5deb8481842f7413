"""A station that starts badly: what `--off NAME=VALUE` adds to its hidden offsets."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.instrument.numbers import COORDINATES, HiddenNumbers, PlantNumbers

OFFSETS = (*COORDINATES, *HiddenNumbers.model_fields)
"""What can be off: the disturbance of the first drop by coordinate, and everything in `[hidden]`
(SI).
"""


def put_off(numbers: PlantNumbers, off: Mapping[str, float]) -> PlantNumbers:
    """Return the numbers with these offsets added to `start` and `hidden`.

    The names are of `OFFSETS`.
    """
    start = {name: numbers.start.get(name, 0.0) + off[name] for name in COORDINATES if name in off}
    hidden = {
        name: getattr(numbers.hidden, name) + off[name]
        for name in HiddenNumbers.model_fields
        if name in off
    }
    return numbers.model_copy(
        update={
            "start": {**numbers.start, **start},
            "hidden": numbers.hidden.model_copy(update=hidden),
        }
    )
