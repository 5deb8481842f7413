"""The JSON Schema that is printed lets golden messages through, and no other than the code does."""

from __future__ import annotations

import json
import re
from typing import Any

import golden_messages as golden
import pytest

from magis_calib.cli.main import main
from magis_calib.domain.errors import WireError
from magis_calib.link.control_messages import decode_from_controller, decode_to_controller
from magis_calib.link.schemas import MESSAGES, schema_of
from magis_calib.link.wire import decode_from_camera, decode_to_camera

Schema = dict[str, Any]
DECODERS = {
    decode_from_camera: golden.FROM_CAMERA,
    decode_to_camera: golden.TO_CAMERA,
    decode_to_controller: golden.TO_CONTROLLER,
    decode_from_controller: golden.FROM_CONTROLLER,
}
TOLD = [(decode, message) for decode, told in DECODERS.items() for message in told.values()]
TOLD += [
    (decode_from_camera, decode_from_camera(golden.frame_parts(name)[0])) for name in golden.FRAMES
]
KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
NOTES = {"title", "description", "default", "$defs", "$schema", "type"}


def fits(value: Any, schema: Schema, defs: Schema) -> bool:
    """Say whether a value is as a schema says: the words of draft 2020-12 that are used here."""
    if "type" in schema and not _is(value, schema["type"]):
        return False
    rest = (word for word in schema if word not in NOTES)
    return all(WORDS[word](value, schema[word], schema, defs) for word in rest)


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _entries(value: Any, schema: Schema, defs: Schema) -> bool:
    known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    return all(
        fits(one, known[name], defs)
        if name in known
        else (fits(one, more, defs) if isinstance(more, dict) else more)
        for name, one in value.items()
    )


WORDS = {
    "const": lambda value, wanted, schema, defs: value == wanted,
    "enum": lambda value, wanted, schema, defs: any(value == one for one in wanted),
    "anyOf": lambda value, wanted, schema, defs: any(fits(value, one, defs) for one in wanted),
    "$ref": lambda value, wanted, schema, defs: fits(value, defs[wanted.split("/")[-1]], defs),
    "required": lambda value, wanted, schema, defs: set(wanted) <= set(value),
    "properties": lambda value, wanted, schema, defs: _entries(value, schema, defs),
    "additionalProperties": lambda value, wanted, schema, defs: _entries(value, schema, defs),
    "items": lambda value, wanted, schema, defs: all(fits(one, wanted, defs) for one in value),
    "minItems": lambda value, wanted, schema, defs: len(value) >= wanted,
    "maxItems": lambda value, wanted, schema, defs: len(value) <= wanted,
    "minLength": lambda value, wanted, schema, defs: len(value) >= wanted,
    "maxLength": lambda value, wanted, schema, defs: len(value) <= wanted,
    "pattern": lambda value, wanted, schema, defs: re.search(wanted, value) is not None,
    "minimum": lambda value, wanted, schema, defs: value >= wanted,
    "maximum": lambda value, wanted, schema, defs: value <= wanted,
    "exclusiveMinimum": lambda value, wanted, schema, defs: value > wanted,
    "exclusiveMaximum": lambda value, wanted, schema, defs: value < wanted,
}


def as_said(name: str, message: Any) -> bool:
    schema = schema_of(name)
    return fits(message, schema, schema.get("$defs", {}))


def name_of(model: type) -> str:
    return next(name for name, one in MESSAGES.items() if one is model)


@pytest.mark.parametrize(("decode", "message"), TOLD)
def test_golden_messages_are_as_their_schema_says(decode, message):
    assert as_said(name_of(type(message)), json.loads(message.encode()))


@pytest.mark.parametrize(("decode", "message"), TOLD)
def test_schema_and_code_refuse_the_same_missing_and_unknown_fields(decode, message):
    table = json.loads(message.encode())
    for name in table:
        rest = {key: value for key, value in table.items() if key != name}
        assert as_said(name_of(type(message)), rest) == read(decode, rest), name
    more = table | {"mood": "fine"}
    assert not as_said(name_of(type(message)), more)
    assert not read(decode, more)


@pytest.mark.parametrize("wrong", ["", "é", -1, 1.5, True, [], {}, 10**30])
@pytest.mark.parametrize(("decode", "message"), TOLD)
def test_what_the_schema_lets_through_the_code_reads(decode, message, wrong):
    table = json.loads(message.encode())
    for name in table:
        changed = table | {name: wrong}
        if as_said(name_of(type(message)), changed):
            assert read(decode, changed), (name, wrong)


def read(decode: Any, table: Schema) -> bool:
    try:
        decode(json.dumps(table).encode())
    except WireError:
        return False
    return True


def test_all_are_printed_and_each_alone(capsys):
    assert main(["protocol", "--schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    for name, schema in printed.items():
        assert main(["protocol", "--schema", name]) == 0
        assert json.loads(capsys.readouterr().out) == schema
    assert {type(message) for _, message in TOLD} == {MESSAGES[name] for name in printed}


def test_a_message_that_is_none_is_exit_2_with_those_that_are(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["protocol", "--schema", "helo"])
    assert "controller_hello" in capsys.readouterr().err
