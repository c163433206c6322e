"""The content of a record: its kind and its fields, packed (specs/10-kinds.md)."""

from collections.abc import Mapping
from typing import Any

from protocol.errors import Refused
from protocol.fold.registry import KINDS
from protocol.record import codec

_ID = 32


def pack_content(name: str, fields: Mapping[str, Any]) -> bytes:
    """Packs `[kind, fields]`, the unencrypted content of a record. Skips empty fields (R-10.1)."""
    return codec.pack([name, {key: value for key, value in fields.items() if value is not None}])


def pack_private_content(name: str, fields: Mapping[str, Any], about: bytes | None) -> bytes:
    """Packs `[kind, fields, about]`, the unencrypted content of a private record (R-10.10)."""
    filled = {key: value for key, value in fields.items() if value is not None}
    return codec.pack([name, filled, about])


def read_content(plain: bytes) -> tuple[str, dict[str, Any]]:
    """Reads the unencrypted content of a record. Returns the name of the kind and the fields.

    If the kind is known, the fields are checked. Raises Refused if a field or the form of the
    content is wrong.
    """
    name, fields = read_unchecked(plain)
    if name in KINDS:
        KINDS[name].check_fields(fields)
    return name, fields


def read_unchecked(plain: bytes) -> tuple[str, dict[str, Any]]:
    """Reads the unencrypted content of a record, but does not check the fields.

    Returns the name of the kind and the fields. Raises Refused if the form of the content is wrong.
    """
    value = codec.unpack(plain)
    types = [type(part) for part in value] if type(value) is list else []
    if types != [str, dict]:
        raise Refused("R-10.1", "content is a list of a kind's name and its fields")
    name, fields = value
    return name, fields


def read_private_content(plain: bytes) -> tuple[str, dict[str, Any], bytes | None]:
    """Reads the unencrypted content of a private record.

    Returns the name of the kind, the fields, and the id of the record that this record is about.
    The id is None if this record is about no other record.

    Raises Refused if a field or the form of the content is wrong, or if the kind cannot be private.
    """
    value = codec.unpack(plain)
    types = [type(part) for part in value] if type(value) is list else []
    if len(types) != 3 or types[:2] != [str, dict]:  # noqa: PLR2004
        raise Refused("R-10.10", "private content is a kind's name, its fields and an id or nil")
    name, fields, about = value
    if about is not None and (type(about) is not bytes or len(about) != _ID):
        raise Refused(
            "R-10.10", "what a private record is about is an id of {id} bytes, or nil", id=_ID
        )
    if name in KINDS:
        if not KINDS[name].may_be_private:
            raise Refused("R-10.9", "a record of the kind {name} is not private", name=name)
        KINDS[name].check_fields(fields)
    return name, fields, about
