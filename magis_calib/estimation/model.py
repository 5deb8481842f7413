"""The two-port fringe image, integrated over bins, with its analytic Jacobian (docs/contracts.md).

Electrons in a bin = pixels·(background + gradients) + Σ_p N_p ∫∫ g_u g_v (1 ± C cos θ_p), + for port a,
θ_p = phase + κu (u - d_pu) + κv (v - d_pv). For axis-aligned clouds each term is an outer product of one-dimensional
bin integrals, so the whole image costs two small matrix products.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.estimation.axis import Axis, Complex, Envelope, envelope
from magis_calib.imaging.electrons import Binned

BACKGROUND = ("background_electrons_per_px", "background_gradient_horizontal", "background_gradient_vertical")
PORTS = {
    port: (f"port_{port}_electrons", f"port_{port}_horizontal_m", f"port_{port}_vertical_m") for port in ("a", "b")
}
WIDTHS = ("width_horizontal_m", "width_vertical_m")
FRINGE = ("fringe_horizontal_rad_per_m", "fringe_vertical_rad_per_m", "contrast", "phase_rad")
TWO_PORT = (*BACKGROUND, *PORTS["a"], *PORTS["b"], *WIDTHS)
TWO_PORT_FRINGE = (*TWO_PORT, *FRINGE)
MODELS = {"two_port": TWO_PORT, "two_port_fringe": TWO_PORT_FRINGE}
SIGN = {"a": 1.0, "b": -1.0}

Parameters = Mapping[str, float]
Displacements = Mapping[str, tuple[float, float]]
"""Nominal place of port a and b in the image: right, up (m)."""


@dataclass(frozen=True, slots=True, eq=False)
class TwoPortImage:
    """The model on given bins. All images are (row bins, column bins)."""

    u: Axis
    v: Axis
    pixels: Array
    displacements: Displacements

    @classmethod
    def on(cls, bins: Binned, shape: tuple[int, int], pixel_m: float, displacements: Displacements) -> TwoPortImage:
        """Return the model on these bins of an image of this shape."""
        rows, columns = shape
        return cls(
            Axis.columns(bins.column_edges, columns, pixel_m),
            Axis.rows(bins.row_edges, rows, pixel_m),
            bins.pixels,
            displacements,
        )

    def background(self, values: Parameters) -> Array:
        """Return the electrons of the background alone."""
        level, right, up = (values[name] for name in BACKGROUND)
        plane: Array = level + right * self.u.middles_m[None, :] + up * self.v.middles_m[:, None]
        return plane * self.pixels

    def signal(self, values: Parameters) -> Array:
        """Return the electrons of both ports."""
        parts = [_Port.of(self, port, values) for port in SIGN]
        return parts[0].image() + parts[1].image()

    def jacobian(self, values: Parameters, names: tuple[str, ...]) -> Array:
        """Return the derivatives by each named parameter, (names, row bins · column bins)."""
        columns: dict[str, Array] = {
            BACKGROUND[0]: self.pixels,
            BACKGROUND[1]: self.pixels * self.u.middles_m[None, :],
            BACKGROUND[2]: self.pixels * self.v.middles_m[:, None],
        }
        ports = [_Port.of(self, port, values) for port in SIGN]
        for port in ports:
            columns.update(port.own_derivatives())
        shared = zip(*(port.shared_derivatives(with_fringe="phase_rad" in names) for port in ports), strict=True)
        for (name, from_a), (_, from_b) in shared:
            columns[name] = from_a + from_b
        return np.stack([columns[name].ravel() for name in names])


@dataclass(frozen=True, slots=True, eq=False)
class _Port:
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
    def of(cls, image: TwoPortImage, name: str, values: Parameters) -> _Port:
        electrons, centre_u, centre_v = (values[one] for one in PORTS[name])
        right, up = image.displacements[name]
        kappa_u, kappa_v = values.get(FRINGE[0], 0.0), values.get(FRINGE[1], 0.0)
        return cls(
            name,
            electrons,
            SIGN[name] * values.get("contrast", 0.0),
            np.exp(1j * values.get("phase_rad", 0.0)),
            envelope(image.u, centre_u, values[WIDTHS[0]], kappa_u, right),
            envelope(image.v, centre_v, values[WIDTHS[1]], kappa_v, up),
        )

    def image(self) -> Array:
        return self.electrons * self._per_electron()

    def own_derivatives(self) -> dict[str, Array]:
        u, v, n, c = self.u, self.v, self.electrons, self.contrast
        electrons, horizontal, vertical = PORTS[self.name]
        by_u = n * _sum(v.plain, u.plain_by_centre, c, v.fringe, self.turn * u.fringe_by_centre)
        by_v = n * _sum(v.plain_by_centre, u.plain, c, v.fringe_by_centre, self.turn * u.fringe)
        return {electrons: self._per_electron(), horizontal: by_u, vertical: by_v}

    def shared_derivatives(self, with_fringe: bool) -> list[tuple[str, Array]]:
        u, v, n, c = self.u, self.v, self.electrons, self.contrast
        derivatives = [
            (WIDTHS[0], n * _sum(v.plain, u.plain_by_width, c, v.fringe, self.turn * u.fringe_by_width)),
            (WIDTHS[1], n * _sum(v.plain_by_width, u.plain, c, v.fringe_by_width, self.turn * u.fringe)),
        ]
        if with_fringe:
            derivatives += [
                (FRINGE[0], n * c * _real(v.fringe, self.turn * u.fringe_by_wavevector)),
                (FRINGE[1], n * c * _real(v.fringe_by_wavevector, self.turn * u.fringe)),
                ("contrast", n * SIGN[self.name] * _real(v.fringe, self.turn * u.fringe)),
                ("phase_rad", n * c * _real(v.fringe, 1j * self.turn * u.fringe)),
            ]
        return derivatives

    def _per_electron(self) -> Array:
        return _sum(self.v.plain, self.u.plain, self.contrast, self.v.fringe, self.turn * self.u.fringe)


def _sum(plain_v: Array, plain_u: Array, contrast: float, wave_v: Complex, wave_u: Complex) -> Array:
    if contrast == 0.0:
        return np.outer(plain_v, plain_u)
    left = np.stack([plain_v, wave_v.real, -wave_v.imag], axis=1)
    right = np.stack([plain_u, contrast * wave_u.real, contrast * wave_u.imag])
    product: Array = left @ right
    return product


def _real(wave_v: Complex, wave_u: Complex) -> Array:
    """Return Re(wave_v ⊗ wave_u)."""
    product: Array = np.stack([wave_v.real, -wave_v.imag], axis=1) @ np.stack([wave_u.real, wave_u.imag])
    return product
