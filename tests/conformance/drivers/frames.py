"""The protocol of conformance drivers (tests/conformance/runner, driver.go)."""

import struct
import sys

from synap_sdk import SynapError
from synap_sdk._codec import pack_json, unpack
from synap_sdk._generated.errors import BY_NUMBER

_NUMBERS = {cls.code: number for number, cls in BY_NUMBER.items()}


def requests():
    """Yields the requests on standard input."""
    while size := sys.stdin.buffer.read(4):
        yield unpack(sys.stdin.buffer.read(struct.unpack("<I", size)[0]))


def answer(parts):
    """Writes an answer to standard output."""
    frame = pack_json(parts, "driver: answer")
    sys.stdout.buffer.write(struct.pack("<I", len(frame)) + frame)
    sys.stdout.buffer.flush()


def failure(e: SynapError):
    """Returns [nil, error] for an exception."""
    flags = e.retryable + 2 * e.maybe_applied
    return [None, [_NUMBERS[e.code], e.status_code or 0, flags, e.message, e.command, e.transport]]
