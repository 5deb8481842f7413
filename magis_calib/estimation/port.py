"""One port of the two-port fringe image as products of bin integrals along rows and columns.

For axis-aligned clouds N ∫∫ g_u g_v (1 ± C cos θ), θ = phase + κu (u - d_u) + κv (v - d_v), is a
sum of outer products of one-dimensional integrals: image and derivatives cost a few small matrix
products.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.estimation.axis import Complex, Envelope, envelope
from magis_calib.estimation.grid import Grid, Products

PORTS = {
    port: (f"port_{port}_electrons", f"port_{port}_horizontal_m", f"port_{port}_vertical_m")
    for port in ("a", "b")
}
WIDTHS = ("width_horizontal_m", "width_vertical_m")
FRINGE = ("fringe_horizontal_rad_per_m", "fringe_vertical_rad_per_m", "contrast", "phase_rad")
SIGN = {"a": 1.0, "b": -1.0}

Parameters = Mapping[str, float]
Displacements = Mapping[str, tuple[float, float]]
"""Nominal place of port a and b in the image: right, up (m)."""


@dataclass(frozen=True, slots=True, eq=False)
class Port:
    """One port as products of column vectors (v) and row vectors (u)."""

    name: str
    electrons: float
    contrast: float
    """With the port's sign."""
    turn: complex
    """exp(i·phase)."""
    u: Envelope
    v: Envelope

    @classmethod
    def of(
        cls, grid: Grid, displacement: tuple[float, float], name: str, values: Parameters
    ) -> Port:
        """Return the port of these parameters on a grid.

        `displacement` is its nominal place (right, up; m).
        """
        electrons, centre_u, centre_v = (values[one] for one in PORTS[name])
        right, up = displacement
        kappa_u, kappa_v = values.get(FRINGE[0], 0.0), values.get(FRINGE[1], 0.0)
        return cls(
            name,
            electrons,
            SIGN[name] * values.get("contrast", 0.0),
            np.exp(1j * values.get("phase_rad", 0.0)),
            envelope(grid.u, centre_u, values[WIDTHS[0]], kappa_u, right),
            envelope(grid.v, centre_v, values[WIDTHS[1]], kappa_v, up),
        )

    def light(self) -> Products:
        """Return the electrons of each bin."""
        return self._of_light(self.electrons)

    def derivatives(self, with_fringe: bool) -> dict[str, Products]:
        """Return the derivatives of the light by every parameter that changes this port."""
        u = self.u
        v = self.v
        n = self.electrons
        c = self.contrast
        electrons, horizontal, vertical = PORTS[self.name]
        found = {
            electrons: self._of_light(1.0),
            horizontal: _sum(
                n, v.plain, u.plain_by_centre, c, v.fringe, self.turn * u.fringe_by_centre
            ),
            vertical: _sum(
                n, v.plain_by_centre, u.plain, c, v.fringe_by_centre, self.turn * u.fringe
            ),
            WIDTHS[0]: _sum(
                n, v.plain, u.plain_by_width, c, v.fringe, self.turn * u.fringe_by_width
            ),
            WIDTHS[1]: _sum(
                n, v.plain_by_width, u.plain, c, v.fringe_by_width, self.turn * u.fringe
            ),
        }
        if with_fringe:
            found |= {
                FRINGE[0]: _real(v.fringe, n * c * self.turn * u.fringe_by_wavevector),
                FRINGE[1]: _real(v.fringe_by_wavevector, n * c * self.turn * u.fringe),
                FRINGE[2]: _real(v.fringe, n * SIGN[self.name] * self.turn * u.fringe),
                FRINGE[3]: self.by_phase(),
            }
        return found

    def by_phase(self) -> Products:
        """Return the derivative by this port's own phase."""
        return _real(self.v.fringe, 1j * self.electrons * self.contrast * self.turn * self.u.fringe)

    def _of_light(self, electrons: float) -> Products:
        return _sum(
            electrons,
            self.v.plain,
            self.u.plain,
            self.contrast,
            self.v.fringe,
            self.turn * self.u.fringe,
        )


def _sum(
    electrons: float,
    plain_v: Array,
    plain_u: Array,
    contrast: float,
    wave_v: Complex,
    wave_u: Complex,
) -> Products:
    plain = [(plain_v, electrons * plain_u)]
    return plain if contrast == 0.0 else plain + _real(wave_v, electrons * contrast * wave_u)


def _real(wave_v: Complex, wave_u: Complex) -> Products:
    """Return Re(wave_v ⊗ wave_u)."""
    return [(wave_v.real, wave_u.real), (-wave_v.imag, wave_u.imag)]
