"""Build and parse SPA pods, the binary parameters of PipeWire.

A pod is its body's size, its type, the body, and padding to eight bytes. The C builders are inline functions, which
the shared library does not export.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

# spa/utils/type.h
_ID, _INT, _RECTANGLE, _FRACTION, _OBJECT, _CHOICE = 3, 4, 10, 11, 15, 19
_CHOICE_RANGE, _CHOICE_ENUM, _CHOICE_FLAGS = 1, 3, 4
_HEADER_BYTES = 8
_CHOICE_HEADER_BYTES = 16


@dataclass(frozen=True, slots=True)
class Value:
    """A value of one type, not yet wrapped in a pod."""

    kind: int
    body: bytes


def identifier(value: int) -> Value:
    """Return a value of an enumeration."""
    return Value(_ID, struct.pack("<I", value))


def integer(value: int) -> Value:
    """Return an unsigned 32-bit integer."""
    return Value(_INT, struct.pack("<I", value))


def rectangle(width: int, height: int) -> Value:
    """Return a size in pixels."""
    return Value(_RECTANGLE, struct.pack("<II", width, height))


def fraction(numerator: int, denominator: int) -> Value:
    """Return a fraction, such as a frame rate in Hz."""
    return Value(_FRACTION, struct.pack("<II", numerator, denominator))


def one_of(default: Value, *others: Value) -> Value:
    """Return a choice of values of one type."""
    return _choice(_CHOICE_ENUM, default, default, *others)


def between(default: Value, low: Value, high: Value) -> Value:
    """Return a choice of the values from `low` to `high`."""
    return _choice(_CHOICE_RANGE, default, low, high)


def any_flag(flags: int) -> Value:
    """Return a choice of any of these flags."""
    return _choice(_CHOICE_FLAGS, integer(flags))


def build_object(kind: int, identity: int, properties: Mapping[int, Value]) -> bytes:
    """Return the pod of an object. kind: its type; identity: the parameter that it is a value of."""
    parts = [struct.pack("<II", kind, identity)]
    parts += [struct.pack("<II", key, 0) + _pod(value.kind, value.body) for key, value in properties.items()]
    return _pod(_OBJECT, b"".join(parts))


def pod_bytes(header: bytes) -> int:
    """Return the size of a whole pod whose first eight bytes are `header`."""
    return _HEADER_BYTES + int(struct.unpack_from("<I", header)[0])


def parse_object(pod: bytes) -> dict[int, bytes]:
    """Return the body of each property of an object; of a choice its default. Raises ValueError for another pod."""
    try:
        size, kind = struct.unpack_from("<II", pod)
        if kind != _OBJECT:
            raise ValueError(f"a pod of the type {kind} is no object")
        end = _HEADER_BYTES + size
        at = 2 * _HEADER_BYTES
        found = {}
        while at + 16 <= end:
            key, _, length, value_kind = struct.unpack_from("<IIII", pod, at)
            body = pod[at + 16 : at + 16 + length]
            found[key] = body[_CHOICE_HEADER_BYTES:] if value_kind == _CHOICE else body
            at += 16 + length + -length % 8
    except struct.error as error:
        raise ValueError("a pod is cut off") from error
    return found


def parse_integers(body: bytes, count: int) -> tuple[int, ...]:
    """Return `count` unsigned 32-bit integers. Raises ValueError if the body is shorter."""
    if len(body) < 4 * count:
        raise ValueError("a value of a pod is cut off")
    return struct.unpack_from(f"<{count}I", body)


def _choice(how: int, *values: Value) -> Value:
    first = values[0]
    header = struct.pack("<IIII", how, 0, len(first.body), first.kind)
    return Value(_CHOICE, header + b"".join(value.body for value in values))


def _pod(kind: int, body: bytes) -> bytes:
    return struct.pack("<II", len(body), kind) + body + b"\0" * (-len(body) % 8)
