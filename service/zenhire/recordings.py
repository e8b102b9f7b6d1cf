"""Watches a recording go by: counts it, hashes it, and notices where a WAV promises more than came (contract §2.5)."""

import hashlib
import struct

#: A writer that does not know the length beforehand leaves one of the largest sizes in the header.
_RIFF_SIZE_UNKNOWN = 0x7FFF_0000


class Tally:
    """What is known of a recording once its last byte has passed."""

    def __init__(self) -> None:
        self.byte_count = 0
        self._hash = hashlib.sha256()
        self._head = b""

    def add(self, piece: bytes) -> None:
        self.byte_count += len(piece)
        self._hash.update(piece)
        if len(self._head) < 12:
            self._head = (self._head + piece)[:12]

    @property
    def sha256(self) -> bytes:
        return self._hash.digest()

    def missing_bytes(self) -> int:
        """How many bytes fewer came than the header promises; 0 where it promises nothing."""
        if len(self._head) < 12 or self._head[:4] != b"RIFF" or self._head[8:] != b"WAVE":
            return 0
        (size,) = struct.unpack_from("<I", self._head, 4)
        if size >= _RIFF_SIZE_UNKNOWN:
            return 0
        missing = int(size) + 8 - self.byte_count
        return missing if missing > 1 else 0  # some writers leave the last padding byte out
