"""Whether what was read back from JSON is of the types that its dataclasses say."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache, partial
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from magis_calib.host.terminal import visible

Check = Callable[[Any, str], None]
"""Given a value and what it is called; raises `ValueError` that says wanted and got."""
Made = TypeVar("Made")
LARGEST = 2**63
"""No whole number of ours is larger."""
WORDS = {float: "a number", int: "a whole number", str: "a text", bool: "true or false"}


def made(kind: type[Made], table: Any) -> Made:
    """Return a dataclass of the fields in a table. Raises `ValueError` naming what is wrong."""
    if not isinstance(table, Mapping):
        raise ValueError(f"{kind.__name__}: wanted a table, got {_short(table)}")
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    if unknown := sorted(set(table) - {one.name for one in fields}):
        raise ValueError(f"{kind.__name__}: {unknown[0][:40]!r} is no field of it")
    missing = [one.name for one in fields if one.name not in table and _is_needed(one)]
    if missing:
        raise ValueError(f"{kind.__name__}: field {missing[0]!r} is missing")
    return kind(**table)


def refuse_other_types(value: Any) -> None:
    """Raise `ValueError` where a field of a dataclass, however deep, is of another type."""
    kind: Any = type(value)
    checker(kind)(value, "")


@lru_cache
def checker(kind: Any) -> Check:
    """Return what checks values of this type."""
    if (origin := get_origin(kind)) is not None:
        return _checker_of_parts(origin, get_args(kind), _named(kind))
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return partial(_fields, [(one.name, _later(hints[one.name])) for one in _recorded(kind)])
    return partial(_plain, kind)


def _checker_of_parts(origin: Any, parts: tuple[Any, ...], words: str) -> Check:
    """Return what checks a type that is made of others."""
    if origin in (Union, types.UnionType):
        return partial(_any_of, tuple(map(checker, parts)), words)
    if origin is Literal:
        return partial(_one_of, parts)
    if origin is np.ndarray:
        return _array
    return partial(
        _each if origin is tuple else _table, checker(parts[0 if origin is tuple else 1])
    )


def _later(kind: Any) -> Check:
    return lambda value, where: checker(kind)(value, where)


def _recorded(kind: Any) -> list[Any]:
    return [one for one in dataclasses.fields(kind) if one.metadata.get("recorded", True)]


def _is_needed(field: Any) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _plain(kind: Any, value: Any, where: str) -> None:
    if kind is float:  # NaN is recorded as null
        if value is None or isinstance(value, float):
            return
        good = isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST
    elif kind is int:
        good = isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST
    else:
        good = kind is Any or isinstance(value, kind)
    if not good:
        raise _wrong(where, WORDS.get(kind, _named(kind)), value)


def _any_of(checks: tuple[Check, ...], words: str, value: Any, where: str) -> None:
    for check in checks:
        try:
            return check(value, where)
        except ValueError:
            continue
    raise _wrong(where, words, value)


def _one_of(known: Collection[Any], value: Any, where: str) -> None:
    if not isinstance(value, str) or value not in known:
        raise _wrong(where, f"one of {', '.join(map(str, known))}", value)


def _array(value: Any, where: str) -> None:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise _wrong(where, "rows of numbers", value)


def _each(check: Check, value: Any, where: str) -> None:
    if not isinstance(value, tuple | list):
        raise _wrong(where, "a list", value)
    for place, one in enumerate(value):
        check(one, f"{where}[{place}]")


def _table(check: Check, value: Any, where: str) -> None:
    if not isinstance(value, Mapping):
        raise _wrong(where, "a table", value)
    for name, one in value.items():
        check(one, f"{where}.{name}")


def _fields(checks: list[tuple[str, Check]], value: Any, where: str) -> None:
    for name, check in checks:
        try:
            inner = getattr(value, name)
        except AttributeError:
            raise _wrong(where, "a table", value) from None
        check(inner, f"{where}.{name}" if where else name)


def _wrong(where: str, wanted: str, got: Any) -> ValueError:
    return ValueError(f"{visible(where[:80])}: wanted {wanted}, got {_short(got)}")


def _named(kind: Any) -> str:
    parts = [WORDS.get(one, getattr(one, "__name__", str(one))) for one in get_args(kind)]
    named = " or ".join("nothing" if one == "NoneType" else one for one in parts)
    return named or WORDS.get(kind, getattr(kind, "__name__", str(kind)))


def _short(value: Any) -> str:
    text = repr(value) if not isinstance(value, dict | list) else f"a {type(value).__name__}"
    return text if len(text) <= 40 else f"{text[:37]}…"
