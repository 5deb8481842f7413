"""`magis-calib session list | show | export | prune`: what there is, files for other programs, and
room for more.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from magis_calib.cli.options import default_session_dir
from magis_calib.cli.telling import telling
from magis_calib.domain.camera import VIEWS
from magis_calib.domain.errors import SessionError
from magis_calib.domain.quantities import utc_moment
from magis_calib.host.command_line import number
from magis_calib.host.disk import bytes_on_disk
from magis_calib.host.terminal import visible_lines
from magis_calib.recording.certificate import certify
from magis_calib.recording.export import export_images, export_table, exporting
from magis_calib.recording.listing import age_s, listed, sessions_in
from magis_calib.recording.probe import opened
from magis_calib.recording.prune import Prunable, prunable, prune
from magis_calib.recording.reader import Session
from magis_calib.recording.segments.segment import Rows
from magis_calib.recording.tables import TABLES, last_of_each

DAY_S = 86_400.0
T = TypeVar("T")


def list_all(arguments: argparse.Namespace) -> int:
    """Print one line for each session of a folder."""
    for path in sessions_in(_folder(arguments)):
        print(listed(path).in_words())
    return 0


def _folder(arguments: argparse.Namespace) -> Path:
    folder: Path = arguments.folder or default_session_dir("")
    return folder


def show(arguments: argparse.Namespace) -> int:
    """Print what one session is."""
    with opened(arguments.session) as session, telling(arguments.session, "what it holds"):
        print(visible_lines("\n".join([certify(session).in_words(), *_about(session)])))
    print(_size_and_age(arguments.session))
    return 0


def _size_and_age(path: Path) -> str:
    return f"{bytes_on_disk(path) / 1e6:.1f} MB, {age_s(path) / DAY_S:.1f} days old"


def export(arguments: argparse.Namespace) -> int:
    """Write tables, and images where they are asked for, into a folder."""
    with (
        opened(arguments.session) as session,
        exporting(session, arguments.to),
        telling(arguments.session, "what it holds"),
    ):
        for name in arguments.tables or TABLES:
            print(export_table(session, name, arguments.to, arguments.format))
        if arguments.images:
            print(f"{_images(session, arguments)} images in {arguments.to}")
    return 0


def prune_old(arguments: argparse.Namespace) -> int:
    """Remove the raw images of old sessions; without --yes only say what would be removed."""
    oldest_s = arguments.older_than * DAY_S
    old = [path for path in sessions_in(_folder(arguments)) if age_s(path) > oldest_s]
    found = [prunable(listed(path)) for path in old]
    print(
        "\n".join(one.in_words() for one in found)
        or f"no session is older than {arguments.older_than:g} days"
    )
    due = [one for one in found if not one.left_alone]
    if due:
        print(_prune(due) if arguments.yes else _dry_run(due))
    return 0


def _dry_run(due: Sequence[Prunable]) -> str:
    size = sum(one.image_bytes for one in due)
    return (
        f"dry run: {size / 1e6:.1f} MB of images in {len(due)} sessions would be removed; "
        f"--yes removes them"
    )


def _prune(due: Sequence[Prunable]) -> str:
    freed = sum(_told(prune(one.path) for one in due))
    return f"freed {freed / 1e6:.1f} MB; estimates, decisions, headers and checksums are kept"


def _about(session: Session) -> list[str]:
    """Return what the certificate does not say."""
    estimates, decisions = (
        last_of_each(session.table(name)) for name in ("estimates", "decisions")
    )
    outcomes = Counter(decisions["outcome"].astype(str).tolist())
    return [
        f"taken {_span(estimates['time_ns'])}",
        "decisions: "
        + (", ".join(f"{count} {word}" for word, count in outcomes.most_common()) or "none"),
        f"matrix in force: {session.matrix}",
        f"{len(session.segments)} segments, begun anew at drops "
        f"{sorted(session.restarts) or 'none'}",
        *_simulation(session),
    ]


def _span(times_ns: Rows) -> str:
    if not len(times_ns):
        return "no drop yet"
    return f"{utc_moment(int(times_ns.min()))} to {utc_moment(int(times_ns.max()))}"


def _simulation(session: Session) -> list[str]:
    """Return what station was simulated, if one was."""
    if not session.attribute("simulated"):
        return []
    return [f"simulated station: {session.attribute('simulation')}"]


def _images(session: Session, arguments: argparse.Namespace) -> int:
    """Write the images that are asked for; return how many there were."""
    drops = None if arguments.images == "all" else _drops(arguments.images)
    views = VIEWS if arguments.view is None else (arguments.view,)
    return sum(
        1 for _ in _told(export_images(session, arguments.to, drops, views), len(session.frames))
    )


def _told(work: Iterable[T], of: int | None = None) -> Iterable[T]:
    """Show progress where somebody looks."""
    return track(
        work, "", of, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    )


def _drops(text: str) -> range | set[int]:
    """Read "12", "3,7" or "10-20". Raises `SessionError`."""
    try:
        first, _, last = text.partition("-")
        return range(int(first), int(last) + 1) if last else {int(one) for one in text.split(",")}
    except ValueError as error:
        raise SessionError(
            f'--images: wanted "all", a drop, "3,7" or "10-20", got {text!r}'
        ) from error


def add_options(
    export_parser: argparse.ArgumentParser, prune_parser: argparse.ArgumentParser
) -> None:
    """Add what `export` and `prune` understand."""
    export_parser.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="new or empty folder"
    )
    export_parser.add_argument(
        "--format",
        choices=("csv", "parquet"),
        default="csv",
        help="of tables; parquet needs magis-calib[analysis] (default %(default)s)",
    )
    export_parser.add_argument(
        "--tables",
        nargs="*",
        choices=TABLES,
        metavar="TABLE",
        help=f"only these: {', '.join(TABLES)}",
    )
    export_parser.add_argument(
        "--images",
        metavar="DROPS",
        help='images as 16-bit TIFF, too: "all", a drop, "3,7" or "10-20"',
    )
    export_parser.add_argument("--view", choices=VIEWS, help="images of one view only")
    prune_parser.add_argument(
        "--older-than",
        type=number(least=0),
        required=True,
        metavar="DAYS",
        help="sessions that were written to last so many days ago",
    )
    prune_parser.add_argument(
        "--yes", action="store_true", help="remove; without it only what would be is said"
    )
