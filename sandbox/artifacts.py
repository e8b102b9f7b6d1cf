"""Transcripts and recordings: an opaque document, and sound that plays (contract §2.5)."""

import array
import json
import math
import struct
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, assert_never

from sandbox.profile import TranscriptText

_RATE = 8000  # samples a second, mono, 16 bit
_SECONDS_PER_MINUTE = 0.1  # of sound, per minute of interview: small files, told apart by their length
_QUESTION_HZ, _ANSWER_HZ = 440, 330
_TURN_SECONDS = 0.05


def transcript(role_name: str, text: TranscriptText, shape: Literal["object", "array"]) -> bytes:
    """Turns of a short talk. A lone surrogate and NUL are legal in JSON, and no jsonb takes them."""
    turns = [
        {"speaker": "interviewer", "text": f"Welcome. What draws you to the work of {role_name}?"},
        {"speaker": "candidate", "text": f"I have done it for years, and I still like it.{_hidden(text)}"},
        {"speaker": "interviewer", "text": "Thank you. We will be in touch."},
    ]
    document: Any = turns if shape == "array" else {"version": 1, "turns": turns}
    return json.dumps(document).encode()


def _hidden(text: TranscriptText) -> str:
    match text:
        case "plain":
            return ""
        case "emoji":
            return " \U0001f44d\U0001f3fd Très bien, 好的."
        case "nul":
            return " Then the line\x00 broke."
        case "surrogate":
            return " Then the line \ud83d broke."
        case _:
            assert_never(text)


def recording_length(duration_seconds: int) -> int:
    """Bytes of the whole WAV file, known before the first of them is sent."""
    return 44 + 2 * _samples(duration_seconds)


def recording(duration_seconds: int) -> Iterator[bytes]:
    """A WAV file in pieces: a header, then question and answer as two tones with silence between."""
    samples = _samples(duration_seconds)
    size = 2 * samples
    yield struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, _RATE, 2 * _RATE, 2, 16, b"data", size
    )
    turn = _turn()
    while size > 0:
        yield turn[:size]
        size -= len(turn)


def _samples(duration_seconds: int) -> int:
    return max(_RATE // 10, round(duration_seconds / 60 * _SECONDS_PER_MINUTE * _RATE))


@cache
def _turn() -> bytes:
    length = round(_TURN_SECONDS * _RATE)
    sound = array.array("h")
    for pitch in (_QUESTION_HZ, 0, _ANSWER_HZ, 0):
        sound.extend(round(8000 * math.sin(2 * math.pi * pitch * place / _RATE)) for place in range(length))
    if sys.byteorder == "big":
        sound.byteswap()
    return sound.tobytes()
