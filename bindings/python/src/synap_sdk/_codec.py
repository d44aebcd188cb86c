"""MessagePack, as it crosses the boundary to libsynap, tuned for small messages.

Arguments become bytes here and nowhere else. What Python alone can get wrong
(a type that has no MessagePack form, lone surrogates, integers beyond 64 bits)
fails here with InvalidArgumentError before anything is called; all other rules
about arguments live in the library. ``where`` names the argument in errors:
"kv.set: key".
"""

from __future__ import annotations

import struct
from typing import Any, Callable, Dict, List, Mapping, NoReturn, Tuple

from ._generated.errors import InvalidArgumentError, ProtocolError

NIL = b"\xc0"
FALSE = b"\xc2"
TRUE = b"\xc3"

# The forms of -32 … 127, so that a list index, negative ones included, finds them.
_SMALL = [bytes((i,)) for i in range(128)] + [bytes((256 + i,)) for i in range(-32, 0)]
_FIXSTR = [bytes((0xA0 | n,)) for n in range(32)]

_pack_u8 = struct.Struct(">BB").pack
_pack_u16 = struct.Struct(">BH").pack
_pack_u32 = struct.Struct(">BI").pack
_pack_u64 = struct.Struct(">BQ").pack
_pack_i64 = struct.Struct(">Bq").pack
_pack_f64 = struct.Struct(">Bd").pack
_unpack_u16 = struct.Struct(">H").unpack_from
_unpack_u32 = struct.Struct(">I").unpack_from
_unpack_u64 = struct.Struct(">Q").unpack_from
_unpack_i8 = struct.Struct(">b").unpack_from
_unpack_i16 = struct.Struct(">h").unpack_from
_unpack_i32 = struct.Struct(">i").unpack_from
_unpack_i64 = struct.Struct(">q").unpack_from
_unpack_f32 = struct.Struct(">f").unpack_from
_unpack_f64 = struct.Struct(">d").unpack_from

# How deep JSON values may nest (the library's own bound) and replies may (the
# value's bound and the arrays round it).
_MAX_DEPTH = 100
_MAX_REPLY_DEPTH = 140


def refuse(where: str, what: str) -> NoReturn:
    """Raises the error of a wrong argument."""
    command, _, argument = where.rpartition(": ")
    raise InvalidArgumentError(f"{argument} {what}", command=command)


def _name(v: object) -> str:
    return "None" if v is None else type(v).__name__


# --- arguments --------------------------------------------------------------


def pack_text(v: Any, where: str) -> bytes:
    """Packs text."""
    if not isinstance(v, str):
        refuse(where, f"must be text (str), not {_name(v)}")
    try:
        b = v.encode()
    except UnicodeEncodeError:
        refuse(where, "must be valid Unicode: it holds a lone surrogate")
    n = len(b)
    if n < 32:
        return _FIXSTR[n] + b
    return _text_header(n, where) + b


def _text_header(n: int, where: str) -> bytes:
    if n < 0x100:
        return _pack_u8(0xD9, n)
    if n < 0x10000:
        return _pack_u16(0xDA, n)
    if n < 0x100000000:
        return _pack_u32(0xDB, n)
    refuse(where, "is longer than 4 GiB")


def pack_bytes(v: Any, where: str) -> bytes:
    """Packs bytes."""
    if not isinstance(v, bytes):
        if isinstance(v, bytearray):
            pass
        elif isinstance(v, memoryview):
            v = v.tobytes()
        else:
            refuse(where, f"must be bytes, not {_name(v)}" + ("; encode text first" if isinstance(v, str) else ""))
    n = len(v)
    if n < 0x100:
        return _pack_u8(0xC4, n) + bytes(v)
    if n < 0x10000:
        return _pack_u16(0xC5, n) + bytes(v)
    if n < 0x100000000:
        return _pack_u32(0xC6, n) + bytes(v)
    refuse(where, "is longer than 4 GiB")


def pack_blob(v: Any, where: str) -> bytes:
    """Packs text or bytes."""
    if isinstance(v, str):
        return pack_text(v, where)
    if isinstance(v, (bytes, bytearray, memoryview)):
        return pack_bytes(v, where)
    refuse(where, f"must be text (str) or bytes, not {_name(v)}; store other values with set_json or as text")


def pack_int(v: Any, where: str) -> bytes:
    """Packs an integer; a bool is none."""
    if not isinstance(v, int) or v is True or v is False:
        refuse(where, f"must be an integer (int), not {_name(v)}")
    if -32 <= v < 128:
        return _SMALL[v]
    if v >= 0:
        if v < 0x100:
            return _pack_u8(0xCC, v)
        if v < 0x10000:
            return _pack_u16(0xCD, v)
        if v < 0x100000000:
            return _pack_u32(0xCE, v)
        if v < 0x10000000000000000:
            return _pack_u64(0xCF, v)
    elif v >= -0x8000000000000000:
        return _pack_i64(0xD3, v)
    refuse(where, "must be within the int64 range")


def pack_float(v: Any, where: str) -> bytes:
    """Packs a float; an integer is one too."""
    if isinstance(v, float):
        return _pack_f64(0xCB, v)
    if isinstance(v, int) and v is not True and v is not False:
        try:
            return _pack_f64(0xCB, float(v))
        except OverflowError:
            refuse(where, "is too large for a float")
    refuse(where, f"must be a number (float), not {_name(v)}")


def pack_bool(v: Any, where: str) -> bytes:
    """Packs a boolean; 0 and 1 are none."""
    if v is True:
        return TRUE
    if v is False:
        return FALSE
    refuse(where, f"must be True or False, not {_name(v)}")


def array_header(n: int) -> bytes:
    """Returns the header of an array of n elements."""
    if n < 16:
        return bytes((0x90 | n,))
    if n < 0x10000:
        return _pack_u16(0xDC, n)
    return _pack_u32(0xDD, n)


def _map_header(n: int) -> bytes:
    if n < 16:
        return bytes((0x80 | n,))
    if n < 0x10000:
        return _pack_u16(0xDE, n)
    return _pack_u32(0xDF, n)


def pack_texts(v: Any, where: str) -> bytes:
    """Packs a list of texts; a single text is none."""
    if type(v) is not list and type(v) is not tuple:
        v = _listed(v, where, "a list of texts")
    return array_header(len(v)) + b"".join([pack_text(e, where) if type(e) is str else _bad_element(e, where) for e in v])


def _bad_element(e: Any, where: str) -> bytes:
    if isinstance(e, str):
        return pack_text(e, where)
    refuse(where, f"must hold only texts (str), not {_name(e)}")


def pack_blobs(v: Any, where: str) -> bytes:
    """Packs a list of text or bytes; a single one is none."""
    if type(v) is not list and type(v) is not tuple:
        v = _listed(v, where, "a list of text or bytes")
    return array_header(len(v)) + b"".join([pack_blob(e, where) for e in v])


def _listed(v: Any, where: str, what: str) -> List[Any]:
    # Text, bytes and maps can be iterated too, but never mean a list.
    if isinstance(v, (str, bytes, bytearray, memoryview, Mapping)) or not hasattr(v, "__iter__"):
        refuse(where, f"must be {what}, not {_name(v)}")
    return list(v)


def pack_pairs(v: Any, where: str) -> bytes:
    """Packs a list of (text key, text or bytes); a dict is one too."""
    if isinstance(v, Mapping):
        v = list(v.items())
    out: List[bytes] = []
    for pair in _listed(v, where, "a list of (key, value) pairs or a dict"):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            refuse(where, f"must hold only (key, value) pairs, not {_name(pair)}")
        out += (b"\x92", pack_text(pair[0], where + " key"), pack_blob(pair[1], where + " value"))
    return array_header(len(out) // 3) + b"".join(out)


def pack_floats(v: Any, where: str) -> bytes:
    """Packs a list of numbers."""
    items = _listed(v, where, "a list of numbers")
    return array_header(len(items)) + b"".join([pack_float(e, where) for e in items])


def pack_places(v: Any, where: str) -> bytes:
    """Packs a list of (latitude, longitude, member)."""
    out: List[bytes] = []
    for place in _listed(v, where, "a list of (latitude, longitude, member)"):
        if not isinstance(place, (tuple, list)) or len(place) != 3:
            refuse(where, f"must hold only (latitude, longitude, member), not {_name(place)}")
        lat, lon, member = place
        out += (b"\x93", pack_float(lat, where + " latitude"), pack_float(lon, where + " longitude"), pack_blob(member, where + " member"))
    return array_header(len(out) // 4) + b"".join(out)


def pack_text_map(v: Any, where: str) -> bytes:
    """Packs a dict from text to text."""
    if not isinstance(v, Mapping):
        refuse(where, f"must be a dict from text to text, not {_name(v)}")
    out = [_map_header(len(v))]
    for k, e in v.items():
        out += (pack_text(k, where + " key"), pack_text(e, where + " value"))
    return b"".join(out)


# --- values of any type -----------------------------------------------------


def pack_json(v: Any, where: str) -> bytes:
    """Packs any value that JSON can hold; bytes pass and the library judges them."""
    pack = _BY_TYPE.get(type(v))
    if pack is not None:
        return pack(v, where)
    out: List[bytes] = []
    _put(out, v, where, 0)
    return b"".join(out)


def _nil(v: Any, where: str) -> bytes:
    return NIL


_BY_TYPE: Dict[type, Callable[[Any, str], bytes]] = {
    str: pack_text,
    int: pack_int,
    bool: pack_bool,
    float: pack_float,
    type(None): _nil,
    bytes: pack_bytes,
    bytearray: pack_bytes,
    memoryview: pack_bytes,
}


def _put(out: List[bytes], v: Any, where: str, depth: int) -> None:
    pack = _BY_TYPE.get(type(v))
    if pack is not None:
        out.append(pack(v, where))
        return
    if depth >= _MAX_DEPTH:
        if isinstance(v, (list, tuple, Mapping)) and v:
            refuse(where, f"is nested deeper than {_MAX_DEPTH} levels")
    if isinstance(v, Mapping):
        out.append(_map_header(len(v)))
        for k, e in v.items():
            if not isinstance(k, str):
                refuse(where, f"must have only text (str) as keys of its dicts, not {_name(k)}")
            out.append(pack_text(k, where))
            _put(out, e, where, depth + 1)
    elif isinstance(v, (list, tuple)):
        out.append(array_header(len(v)))
        for e in v:
            _put(out, e, where, depth + 1)
    elif isinstance(v, str):  # subclasses, such as text enums
        out.append(pack_text(v, where))
    elif isinstance(v, int):
        out.append(pack_int(int(v), where))
    elif isinstance(v, float):
        out.append(pack_float(float(v), where))
    else:
        refuse(where, f"cannot hold a {_name(v)}: only None, bool, int, float, str, list, tuple and dict have a JSON form")


# --- replies ----------------------------------------------------------------


def unpack(b: bytes) -> Any:
    """Returns the one value that b spells."""
    try:
        c = b[0]
        if len(b) == 1:
            if c < 0x80:
                return c
            if c == 0xC0:
                return None
            if c == 0xC3:
                return True
            if c == 0xC2:
                return False
        elif 0xA0 <= c < 0xC0 and len(b) == c - 0x9F:
            return b[1:].decode()
        items, end = _items(b, 0, 1, 0)
    except (IndexError, struct.error, UnicodeDecodeError, TypeError) as e:
        raise ProtocolError(f"the library's reply is malformed: {e}") from None
    if end != len(b):
        raise ProtocolError("the library's reply has a wrong length")
    return items[0]


def _items(b: bytes, i: int, n: int, depth: int) -> Tuple[List[Any], int]:
    """Decodes n values from b[i:] and returns them with where they end.

    All types are decoded in this one loop, so that a scalar costs no call. Reads
    past the end of text and bytes give short slices, which the end then tells.
    """
    out: List[Any] = []
    add = out.append
    while n > 0:
        n -= 1
        c = b[i]
        i += 1
        if c < 0x80:
            add(c)
        elif 0xA0 <= c < 0xC0:
            end = i + c - 0xA0
            add(b[i:end].decode())
            i = end
        elif c == 0xC0:
            add(None)
        elif 0x80 <= c < 0xA0 or 0xDC <= c <= 0xDF:
            if depth >= _MAX_REPLY_DEPTH:
                raise ProtocolError("the library's reply is nested too deeply")
            if c < 0x90:
                count, c = c - 0x80, 0xDE
            elif c < 0xA0:
                count, c = c - 0x90, 0xDC
            elif c & 1:
                (count,) = _unpack_u32(b, i)
                i += 4
            else:
                (count,) = _unpack_u16(b, i)
                i += 2
            if c < 0xDE:
                sub, i = _items(b, i, count, depth + 1)
                add(sub)
            else:
                sub, i = _items(b, i, 2 * count, depth + 1)
                add(dict(zip(sub[::2], sub[1::2])))
        elif c == 0xC3:
            add(True)
        elif c == 0xC2:
            add(False)
        elif c >= 0xE0:
            add(c - 0x100)
        elif 0xC4 <= c <= 0xC6 or c >= 0xD9:
            if c == 0xD9 or c == 0xC4:
                end = i + 1 + b[i]
                i += 1
            elif c == 0xDA or c == 0xC5:
                end = i + 2 + _unpack_u16(b, i)[0]
                i += 2
            else:
                end = i + 4 + _unpack_u32(b, i)[0]
                i += 4
            add(b[i:end] if c < 0xD9 else b[i:end].decode())
            i = end
        else:
            form = _NUMBERS.get(c)
            if form is None:
                raise ProtocolError(f"the library's reply holds the unknown type {c:#x}")
            add(form[0](b, i)[0])
            i += form[1]
    return out, i


def _unpack_u8(b: bytes, i: int) -> Tuple[int]:
    return (b[i],)


_NUMBERS: Dict[int, Tuple[Callable[[bytes, int], Tuple[Any, ...]], int]] = {
    0xCA: (_unpack_f32, 4),
    0xCB: (_unpack_f64, 8),
    0xCC: (_unpack_u8, 1),
    0xCD: (_unpack_u16, 2),
    0xCE: (_unpack_u32, 4),
    0xCF: (_unpack_u64, 8),
    0xD0: (_unpack_i8, 1),
    0xD1: (_unpack_i16, 2),
    0xD2: (_unpack_i32, 4),
    0xD3: (_unpack_i64, 8),
}
