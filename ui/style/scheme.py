"""Colours and type size of the window: chosen once, before anything is drawn with them. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Theme = Literal["dark", "light"]


@dataclass(frozen=True, slots=True)
class Scheme:
    """Every colour that the window uses outside images."""

    background: str
    panel: str
    alternate: str
    raised: str
    line: str
    text: str
    dim: str
    disabled: str
    pressed: str
    selection: str
    question: str
    armed: str
    running: str
    track: str
    band: str
    look: str
    act: str
    info: str
    shadow: str
    procedure: str
    series: str
    port_a: str
    port_b: str
    along: str
    against: str


SCHEMES: dict[Theme, Scheme] = {
    "dark": Scheme(
        background="#1f2226",
        panel="#272b30",
        alternate="#2b3036",
        raised="#363c43",
        line="#464d55",
        text="#dde1e5",
        dim="#9ba4ad",
        disabled="#6b747d",
        pressed="#59626c",
        selection="#46525e",
        question="#2c3a45",
        armed="#7a2b20",
        running="#6b4a5e",
        track="#1f2226",
        band="#515a64",
        look="#E69F00",
        act="#FF7A66",
        info="#56B4E9",
        shadow="#B7A6E8",
        procedure="#E6A6C8",
        series="#56B4E9",
        port_a="#56B4E9",
        port_b="#2FC79A",
        along="#a8501f",
        against="#1f66ae",
    ),
    "light": Scheme(
        background="#ffffff",
        panel="#f3f4f5",
        alternate="#e9ecee",
        raised="#dde1e5",
        line="#aab2ba",
        text="#1c2024",
        dim="#505a64",
        disabled="#8a939b",
        pressed="#c3cad1",
        selection="#bcd3e6",
        question="#e3edf5",
        armed="#f2c4bb",
        running="#dcb8cd",
        track="#ccd2d8",
        band="#97acbe",
        look="#8a5000",
        act="#b3261e",
        info="#005b96",
        shadow="#5a3fae",
        procedure="#8f2f68",
        series="#0072B2",
        port_a="#0072B2",
        port_b="#00785a",
        along="#f2a57c",
        against="#8cbcec",
    ),
}
"""Series are Okabe-Ito sky blue or blue and bluish green, lightened or darkened for their ground.
"""

SMALLEST_PT, USUAL_PT, LARGEST_PT = 7.0, 9.0, 16.0
FONT_SIZES_PT = (8.0, 9.0, 10.0, 11.0, 12.0, 14.0)


@dataclass(slots=True)
class _Chosen:
    theme: Theme = "dark"
    font_pt: float = USUAL_PT


_CHOSEN = _Chosen()


def choose(theme: object, font_pt: object) -> None:
    """Choose for the whole program, before `ui.style.theme` is imported.

    What cannot be understood is the usual one.
    """
    _CHOSEN.theme = "light" if theme == "light" else "dark"
    try:
        wanted = float(str(font_pt))
    except ValueError:
        wanted = USUAL_PT
    _CHOSEN.font_pt = wanted if SMALLEST_PT <= wanted <= LARGEST_PT else USUAL_PT


def chosen() -> tuple[Scheme, float]:
    """Return the colours and the type size (pt) that were chosen."""
    return SCHEMES[_CHOSEN.theme], _CHOSEN.font_pt
