"""What a run records, how it is packed, and what happens when the disk runs out."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from magis_calib.config.fields import Positive, Strict
from magis_calib.domain.camera import View

Compression = Literal["bitshuffle-lz4", "bitshuffle-zstd", "gzip", "none"]
"""bitshuffle-lz4: fast, and as small as noise allows. bitshuffle-zstd: a little smaller, three
times slower. gzip:
slow, and read by every HDF5 program without a plugin. none: as fast as the disk."""

COMPRESSIONS: tuple[Compression, ...] = get_args(Compression)

Span = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]]


class Region(Strict):
    """Part of a view's image as delivered, from the first row and column to one past the last."""

    rows: Span
    columns: Span

    @model_validator(mode="after")
    def _has_an_inside(self) -> Self:
        for name, (first, last) in (("rows", self.rows), ("columns", self.columns)):
            if first >= last:
                raise ValueError(f"{name}: the first ({first}) must be less than the last ({last})")
        return self


class Recording(Strict):
    """What is kept of a run. Estimates, decisions and frame headers are always kept."""

    raw: Literal["full", "region", "none"] = "full"
    region: dict[View, Region] = Field(default_factory=dict)
    compression: Compression = "bitshuffle-lz4"
    segment_bytes: Annotated[int, Field(ge=1_000_000)] = 4_294_967_296
    segment_s: Positive = 3600.0
    warn_hours: Positive = 8.0
    when_full: Literal["hold", "go_on"] = "go_on"

    @model_validator(mode="after")
    def _region_is_told(self) -> Self:
        if self.raw == "region" and set(self.region) != {"x", "y"}:
            raise ValueError(
                f'raw = "region": wanted a region of views x and y, got {sorted(self.region)}'
            )
        return self

    def kept(self, view: View, rows: int, columns: int) -> tuple[slice, slice] | None:
        """Return which part of a view's image of this size is kept, None for nothing."""
        if self.raw == "none":
            return None
        if self.raw == "full":
            return slice(0, rows), slice(0, columns)
        one = self.region[view]
        part = (
            slice(one.rows[0], min(rows, one.rows[1])),
            slice(one.columns[0], min(columns, one.columns[1])),
        )
        return part if part[0].start < part[0].stop and part[1].start < part[1].stop else None
