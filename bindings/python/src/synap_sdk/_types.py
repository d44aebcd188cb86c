"""The types of arguments."""

from __future__ import annotations

from typing import Iterable, Mapping, Sequence, Tuple, Union

BytesLike = Union[bytes, bytearray, memoryview]

#: What a key holds: text or bytes.
Blob = Union[str, bytes, bytearray, memoryview]

#: Pairs of a key and its value; a dict will do.
Pairs = Union[Mapping[str, Blob], Iterable[Tuple[str, Blob]]]

#: Places on earth: latitude, longitude and the name of the member.
Places = Iterable[Tuple[float, float, Blob]]

#: Any JSON value: of sequences only lists and tuples.
Json = Union[None, bool, int, float, str, Sequence["Json"], Mapping[str, "Json"]]
