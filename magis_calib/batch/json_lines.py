"""What `magis-calib fit` prints: a fit or a pair of fits, as JSON values (docs/fit.md)."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from typing import Any

from magis_calib.batch.fit_files import FittedFile, FittedPair
from magis_calib.domain.estimate import Array, StationEstimate, Value, ViewEstimate
from magis_calib.domain.quantities import OBSERVABLES, REPORTED
from magis_calib.domain.serial import plain


def json_line(fitted: FittedFile | FittedPair) -> str:
    """Return the line; what is not available is null."""
    table = _pair(fitted) if isinstance(fitted, FittedPair) else _file(fitted)
    return json.dumps(plain(table), allow_nan=False)


def _file(fitted: FittedFile) -> dict[str, Any]:
    estimate = fitted.estimate
    return {
        "file": fitted.name,
        "view": estimate.view,
        "model": fitted.camera.model,
        "usable": estimate.usable,
        "usable_quantities": estimate.usable_quantities,
        "reasons": estimate.reasons,
        "chi2_per_dof": estimate.chi2_per_dof,
        "parameters": {
            name: {**_value(estimate.parameters.get(name, Value())), "unit": unit}
            for name, unit in fitted.units.items()
        },
        "correlation": _correlation(estimate),
        "disagreement_sigma": estimate.disagreement_sigma,
        "diagnostics": {name: _value(value) for name, value in estimate.diagnostics.items()},
        "atoms": _value(estimate.atoms),
        "noise": "given" if fitted.image.noise_known else "estimated from the image",
        "masked_px": estimate.masked_px,
        "saturated_px": estimate.saturated_px,
        "seconds": fitted.fit_s,
    }


def _pair(fitted: FittedPair) -> dict[str, Any]:
    return {
        "files": [file.name for file in fitted.views.values()],
        "views": {view: _file(file) for view, file in fitted.views.items()},
        "station": _station(fitted.station),
    }


def _station(station: StationEstimate) -> dict[str, Any]:
    return {
        "usable": station.usable,
        "reasons": station.reasons,
        "values": station.values,
        "stderr": station.stderr,
        "units": {name: REPORTED[name].unit for name in station.values},
        "covariance": {"names": list(OBSERVABLES), "matrix": station.covariance},
        "consistency_chi2": station.consistency_chi2,
        "consistency_dof": station.consistency_dof,
    }


def _value(found: Value) -> Mapping[str, float]:
    return {"value": found.value, "stderr": found.stderr}


def _correlation(estimate: ViewEstimate) -> dict[str, float]:
    """Correlation coefficients of all pairs of fitted parameters, by "A,B" with A before B."""
    return {
        f"{estimate.names[i]},{estimate.names[j]}": _coefficient(estimate.covariance, i, j)
        for i, j in itertools.combinations(range(len(estimate.names)), 2)
    }


def _coefficient(covariance: Array, i: int, j: int) -> float:
    spread = math.sqrt(covariance[i, i] * covariance[j, j])
    return float(covariance[i, j]) / spread if spread > 0 else math.nan
