"""How images are packed on disk: always without loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import hdf5plugin

from magis_calib.domain.recording_config import Compression


def filter_of(compression: Compression) -> Mapping[str, Any]:
    """Return what h5py's `create_dataset` needs for it."""
    match compression:
        case "bitshuffle-lz4":
            return dict(hdf5plugin.Bitshuffle(cname="lz4"))
        case "bitshuffle-zstd":
            return dict(hdf5plugin.Bitshuffle(cname="zstd", clevel=1))
        case "gzip":
            return {"compression": "gzip", "compression_opts": 1, "shuffle": True}
        case "none":
            return {}
