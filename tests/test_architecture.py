"""What must stay true of the house."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [
    path
    for name in ("magis_calib", "ui", "hardware", "simulators")
    for path in (ROOT / name).rglob("*.py")
]


def test_imports_point_down_only() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    said = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout


@pytest.mark.parametrize(
    "module", ["magis_calib.cli", "magis_calib.cli.main", "magis_calib.cli.run", "simulators.main"]
)
def test_the_command_line_needs_no_qt(module: str) -> None:
    code = (
        f"import sys; sys.modules['PySide6'] = None; sys.modules['pyqtgraph'] = None; import "
        f"{module}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 50, f"{node.name} is too long"
