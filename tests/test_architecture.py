"""What must stay true of the house."""

from __future__ import annotations

import ast
import io
import re
import statistics
import subprocess
import sys
import tokenize
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOPS = ("magis_calib", "ui", "hardware", "simulators")
SOURCES = [path for name in TOPS for path in (ROOT / name).rglob("*.py")]
Function = ast.FunctionDef | ast.AsyncFunctionDef
UNITS = r"""(^|_)(m|s|ns|rad|hz|px|pt|mm|radians|inches|bytes|electrons|sigma|stderr)$
    | _per_\w+$ | (^|_)(share|fraction|ratio)$ | ^hours_left$ | _days$"""
NUMBERS = r"""(^|_)(contrast|atoms|excess|chi2)$ | ^chi2_ | _over_ | _widths$
    | ^(sign|score|factor|speed|strength|shown_scale|mean_pull|pull_sd|efficiency)$"""
"""Names of pure numbers."""
SI_BY_NAME = {
    "ActuatorState",
    "Axes",
    "BrokenLimit",
    "Check",
    "CurvePoint",
    "Deviation",
    "Found",
    "Headroom",
    "Item",
    "Limits",
    "Measurement",
    "Motion",
    "Move",
    "Offence",
    "Optimum",
    "ParameterFacts",
    "Reach",
    "Row",
    "Scan",
    "Selection",
    "SetActuator",
    "SetTarget",
    "Spread",
    "Statistics",
    "Value",
}
"""Their numbers are of a quantity that another field names; they say "SI"."""
NAMED_ELSEWHERE = {
    "CameraFacts": "the names of the hello message (docs/protocol.md)",
    "Spot": "what authors of models write (docs/models.md)",
    "Layout": "what authors of models write (docs/models.md)",
    "Truth": "the names of the model's parameters (docs/contracts.md)",
    "BenchmarkVerdict": "pure numbers, whatever is judged",
}
OTHER_ROOMS = (
    "hardware",
    "simulators",
    *(f"magis_calib/{room}" for room in ("run", "app", "actuators", "config")),
)
"""Not looked at yet."""
NOT_TOKENS = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def functions(path: Path) -> list[Function]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def test_imports_point_down_only() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    said = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout


@pytest.mark.parametrize(
    "module", ["magis_calib.cli", "magis_calib.cli.main", "magis_calib.cli.run", "simulators.main"]
)
def test_the_command_line_needs_no_qt(module: str) -> None:
    no_qt = "import sys; sys.modules['PySide6'] = None; sys.modules['pyqtgraph'] = None"
    subprocess.run([sys.executable, "-c", f"{no_qt}; import {module}"], check=True, cwd=ROOT)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert not re.search(r"fmt: ?(skip|off)", text)
    for node in functions(path):
        assert node.end_lineno - node.lineno < 40, f"{node.name} is too long"


def test_a_folder_can_be_looked_over() -> None:
    folders = Counter(path.parent for path in SOURCES)
    assert {str(one): count for one, count in folders.items() if count > 25} == {}
    loose = {path.name for path in (ROOT / "magis_calib").glob("*.py")}
    assert loose == {"__init__.py", "__main__.py", "pipeline.py"}


def test_functions_are_small_by_tokens() -> None:
    sizes = [size for path in SOURCES for size in body_tokens(path)]
    assert statistics.median(sizes) <= 45


def body_tokens(path: Path) -> list[int]:
    """Return how many names, numbers, texts and operators the body of each function has."""
    text = path.read_text(encoding="utf-8")
    read = tokenize.generate_tokens(io.StringIO(text).readline)
    starts = [token.start for token in read if token.type not in NOT_TOKENS]
    found = []
    for node in functions(path):
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        first = (body[0].lineno, body[0].col_offset) if body else (node.end_lineno + 1, 0)
        found.append(sum(first <= at and at[0] <= node.end_lineno for at in starts))
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_float_fields_say_their_unit(path: Path) -> None:
    if str(path.relative_to(ROOT)).startswith(OTHER_ROOMS):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ClassDef) or node.name in NAMED_ELSEWHERE:
            continue
        unsaid = [name for name in float_fields(node) if not says_its_unit(name)]
        if node.name not in SI_BY_NAME:
            assert unsaid == [], node.name
        elif unsaid:
            assert "SI" in ast.unparse(node), node.name


def float_fields(node: ast.ClassDef) -> list[str]:
    """Return the names of the fields of a dataclass that are numbers with a unit."""
    if not any("dataclass" in ast.unparse(one) for one in node.decorator_list):
        return []
    fields = [one for one in node.body if isinstance(one, ast.AnnAssign)]
    floats = {"float", "float | None"}
    return [ast.unparse(one.target) for one in fields if ast.unparse(one.annotation) in floats]


def says_its_unit(name: str) -> bool:
    return any(re.search(one, name, re.VERBOSE) for one in (UNITS, NUMBERS))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_packed(path: Path) -> None:
    """One assignment a line, but for a swap, and for short locals that are alike."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Tuple):
            continue
        if isinstance(node.targets[0], ast.Tuple):
            assert are_alike(node.targets[0], node.value), ast.unparse(node)


def are_alike(targets: ast.Tuple, values: ast.Tuple) -> bool:
    names = [ast.unparse(one) for one in targets.elts]
    if any(re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", ast.unparse(values)) for name in names):
        return True  # a swap, or one step of a recursion
    plain = all(isinstance(one, ast.Name) for one in targets.elts)
    return plain and len(names) <= 3 and len({type(one) for one in values.elts}) == 1
