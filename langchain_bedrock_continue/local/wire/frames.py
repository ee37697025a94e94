"""AWS's event-stream frames (`application/vnd.amazon.eventstream`), encoded.

W1. A frame is total length (4), header length (4), CRC-32 of these (4), headers,
    payload, CRC-32 of all before (4); every number is big-endian.
W2. Every header here is a string: name length (1), name, type 7 (1), length (2), value.
W3. An event's `:message-type` is `event`, with its `:event-type`; a failure's is
    `exception`, with its `:exception-type`.

botocore has a decoder only; the tests let it judge these frames.
"""

from __future__ import annotations

import json
import struct
from typing import Any
from zlib import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def event(name: str, payload: dict[str, Any]) -> bytes:
    """Frame one event of the stream."""
    return _message("event", name, payload)


def exception(name: str, message: str) -> bytes:
    """Frame an exception, named as in the stream's shape: `throttlingException`."""
    return _message("exception", name, {"message": message})


def damaged(frame: bytes) -> bytes:
    """Spoil a frame's checksum."""
    return frame[:-1] + bytes([frame[-1] ^ 0xFF])


def event_name(code: str) -> str:
    """Name an exception as streams do: `throttlingException`."""
    return code[:1].lower() + code[1:]


def _message(kind: str, name: str, payload: dict[str, Any]) -> bytes:
    headers = {
        f":{kind}-type": name,
        ":content-type": "application/json",
        ":message-type": kind,
    }
    return _frame(headers, json.dumps(payload, ensure_ascii=False).encode())


def _frame(headers: dict[str, str], payload: bytes) -> bytes:
    packed = b"".join(_header(*pair) for pair in headers.items())
    prelude = struct.pack("!II", len(packed) + len(payload) + 16, len(packed))
    body = prelude + struct.pack("!I", crc32(prelude)) + packed + payload
    return body + struct.pack("!I", crc32(body))


def _header(name: str, value: str) -> bytes:
    raw = value.encode()
    head = struct.pack("!B", len(name)) + name.encode()
    return head + struct.pack("!BH", _STRING, len(raw)) + raw
