"""What of a transcript becomes a document, and when the vendor's bytes are kept."""

import json

import pytest

from service.core.changes import StoredTranscript
from service.core.limits import JSON_VALUES_MAX
from service.core.observations import Garbage
from service.core.transcripts import DEPTH_MAX, TRIES_FOR_JSON, storable


def stored(body: bytes) -> StoredTranscript:
    found = storable(body, tries=0)
    assert isinstance(found, StoredTranscript)
    assert found.byte_count == len(body)
    return found


@pytest.mark.parametrize("body", [b'{"turns": [1, 2.5, "x"]}', b"[]", b"null", b'"text"', b"7", b"1e-300", b"1e300"])
def test_a_document_says_all_that_came(body: bytes) -> None:
    assert (stored(body).document, stored(body).body) == (body.decode(), None)


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b'["a\\u0000b"]', ["a\ufffdb"]),
        (b'{"\\ud800": 1}', {"\ufffd": 1}),
        (b'{"turns": 1, "turns": 2}', {"turns": 2}),
    ],
)
def test_where_the_document_is_not_all_the_bytes_are_kept_beside_it(body: bytes, document: object) -> None:
    found = stored(body)
    assert found.document is not None
    assert (json.loads(found.document), found.body) == (document, body)


@pytest.mark.parametrize(
    "body",
    [
        b"[1e999]",
        b"[1e-20000]",
        b"[0e-20000]",
        b"[0." + b"0" * 20_000 + b"1]",
        b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
        b"[" + b"{}," * JSON_VALUES_MAX + b"{}]",
    ],
    ids=["infinite", "tiny", "a long zero", "many decimals", "deep", "many values"],
)
def test_what_postgres_would_not_take_is_kept_as_it_came(body: bytes) -> None:
    assert (stored(body).document, stored(body).body) == (None, body)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[NaN]", b"[" * 100_000, b"1" * 10_000, b'{"a": '])
def test_what_is_no_json_is_asked_for_again_and_then_kept(body: bytes) -> None:
    for tries in range(TRIES_FOR_JSON):
        assert isinstance(storable(body, tries=tries), Garbage)
    found = storable(body, tries=TRIES_FOR_JSON)
    assert isinstance(found, StoredTranscript)
    assert (found.document, found.body) == (None, body)
