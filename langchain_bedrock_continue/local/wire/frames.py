"""Encoder for AWS event-stream frames (`application/vnd.amazon.eventstream`).

FRAME-1. A frame is: total length (4 bytes), header length (4), CRC-32 of these two (4),
    headers, payload, CRC-32 of everything before (4). Numbers are big-endian.
FRAME-2. All headers here are strings: name length (1 byte), name, type 7 (1), value
    length (2), value.
FRAME-3. An event has the `:message-type` `event` and an `:event-type`. A failure has
    the `:message-type` `exception` and an `:exception-type`.

botocore has a decoder only. The tests decode these frames with it.
"""

from __future__ import annotations

import json
import struct
from typing import Any
from zlib import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def event(name: str, payload: dict[str, Any]) -> bytes:
    """Encode an event as a frame.

    Args:
        name: Name of the event in botocore's service model, such as `messageStop`.
        payload: Body of the event.
    """
    return _message("event", name, payload)


def exception(name: str, message: str) -> bytes:
    """Encode an exception as a frame.

    Args:
        name: Name of the exception in a stream, such as `throttlingException`.
        message: Text of the exception.
    """
    return _message("exception", name, {"message": message})


def damaged(frame: bytes) -> bytes:
    """Return the frame with a wrong checksum.

    Args:
        frame: A valid frame.
    """
    return frame[:-1] + bytes([frame[-1] ^ 0xFF])


def event_name(code: str) -> str:
    """Return the name that an exception has in a stream: `throttlingException`.

    Args:
        code: Name of the exception, such as `ThrottlingException`.
    """
    return code[:1].lower() + code[1:]


def _message(message_type: str, name: str, payload: dict[str, Any]) -> bytes:
    headers = {
        f":{message_type}-type": name,
        ":content-type": "application/json",
        ":message-type": message_type,
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
