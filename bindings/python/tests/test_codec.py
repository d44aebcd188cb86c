"""The MessagePack codec: what goes in comes out, and what cannot go is named."""

import collections
import enum
import struct

import pytest

from synap_sdk import InvalidArgumentError, ProtocolError
from synap_sdk import _codec as codec


def nested(levels, kind=list):
    v = None
    for _ in range(levels):
        v = [v] if kind is list else {"k": v}
    return v


INTEGERS = [0, 1, 127, 128, 255, 256, 65535, 65536, 2**31, 2**32 - 1, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1]
INTEGERS += [-1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**53) - 1, -(2**63)]


@pytest.mark.parametrize("n", INTEGERS)
def test_integers_are_exact(n):
    got = codec.unpack(codec.pack_int(n, "n"))
    assert got == n and type(got) is int


@pytest.mark.parametrize("n", INTEGERS)
def test_integers_decode_from_every_width(n):
    for form, head in (">b", 0xD0), (">h", 0xD1), (">i", 0xD2), (">q", 0xD3), (">B", 0xCC), (">H", 0xCD), (">I", 0xCE), (">Q", 0xCF):
        try:
            packed = bytes((head,)) + struct.pack(form, n)
        except struct.error:
            continue
        assert codec.unpack(packed) == n


@pytest.mark.parametrize("n", [2**64, -(2**63) - 1, 10**30])
def test_integers_beyond_64_bits_are_refused(n):
    with pytest.raises(InvalidArgumentError, match="amount must be within the int64 range") as e:
        codec.pack_int(n, "kv.incrby: amount")
    assert e.value.command == "kv.incrby"


@pytest.mark.parametrize("n", [True, False, 1.0, "1", None, b"1", [1]])
def test_only_integers_are_integers(n):
    with pytest.raises(InvalidArgumentError, match="must be an integer"):
        codec.pack_int(n, "n")


@pytest.mark.parametrize("length", [0, 1, 31, 32, 255, 256, 65535, 65536, 1 << 20])
def test_text_and_bytes_of_every_length(length):
    assert codec.unpack(codec.pack_text("x" * length, "t")) == "x" * length
    got = codec.unpack(codec.pack_bytes(b"\xff" * length, "b"))
    assert got == b"\xff" * length and type(got) is bytes


@pytest.mark.parametrize("text", ["é", "\U0001f600", "\x00", "a\x00b", "\ufeff", "\u2028", "ÿ" * 20])
def test_text_is_utf8(text):
    assert codec.unpack(codec.pack_text(text, "t")) == text


def test_surrogates_are_refused():
    for bad in "\ud800", "a\udfffb":
        with pytest.raises(InvalidArgumentError, match="key must be valid Unicode"):
            codec.pack_text(bad, "kv.get: key")
    with pytest.raises(InvalidArgumentError, match="surrogate"):
        codec.pack_json({"a": ["\udc00"]}, "v")


def test_bytes_like_objects_are_bytes():
    for v in b"ab", bytearray(b"ab"), memoryview(b"ab"), memoryview(b"a-b-")[::2]:
        assert codec.unpack(codec.pack_bytes(v, "b")) == bytes(v)
        assert codec.unpack(codec.pack_blob(v, "b")) == bytes(v)
    with pytest.raises(InvalidArgumentError, match="encode text first"):
        codec.pack_bytes("text", "b")
    for v in 1, None, [1], object(), 1.5:
        with pytest.raises(InvalidArgumentError, match="b must be bytes, not"):
            codec.pack_bytes(v, "b")
        with pytest.raises(InvalidArgumentError, match="v must be text"):
            codec.pack_blob(v, "v")


@pytest.mark.parametrize("f", [0.0, -0.0, 1.5, 1e308, 5e-324, float("inf"), -float("inf")])
def test_floats_keep_their_bits(f):
    assert struct.pack(">d", codec.unpack(codec.pack_float(f, "f"))) == struct.pack(">d", f)


def test_nan_keeps_being_nan():
    got = codec.unpack(codec.pack_json(float("nan"), "f"))
    assert got != got


def test_float_arguments():
    assert codec.unpack(codec.pack_float(3, "f")) == 3.0
    for bad in True, "1", None, 10**400:
        with pytest.raises(InvalidArgumentError):
            codec.pack_float(bad, "f")


def test_booleans_are_no_integers():
    assert codec.unpack(codec.pack_bool(True, "b")) is True
    assert codec.unpack(codec.pack_bool(False, "b")) is False
    for bad in 0, 1, None, "true":
        with pytest.raises(InvalidArgumentError, match="must be True or False"):
            codec.pack_bool(bad, "b")


class Colour(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 300


class Ratio(float):
    pass


def test_json_values():
    values = [
        None, True, False, 0, -1, 2**63 - 1, 1.5, "", "é", [], {}, [[]], {"a": {}},
        {"name": "John", "age": 30, "tags": ["a", None, 1.5, True], "deep": {"x": [{"y": []}]}},
        list(range(20)), list(range(70000)), {str(i): i for i in range(20)}, {str(i): i for i in range(70000)},
    ]  # fmt: skip
    for v in values:
        got = codec.unpack(codec.pack_json(v, "v"))
        assert got == v and type(got) is type(v)


def test_json_keeps_order_and_types():
    got = codec.unpack(codec.pack_json({"z": 1, "a": True, "m": 1.0}, "v"))
    assert list(got) == ["z", "a", "m"]
    assert [type(v) for v in got.values()] == [int, bool, float]


def test_json_of_kindred_types():
    v = {"t": (1, 2), "o": collections.OrderedDict(a=1), "c": Colour.RED, "l": Level.HIGH, "r": Ratio(0.5)}
    assert codec.unpack(codec.pack_json(v, "v")) == {"t": [1, 2], "o": {"a": 1}, "c": "red", "l": 300, "r": 0.5}


@pytest.mark.parametrize("bad", [object(), {1, 2}, 1j, {1: "a"}, {None: 1}, {"a": {2: 3}}, [object()], range(3), ...])
def test_values_without_a_json_form_are_refused(bad):
    with pytest.raises(InvalidArgumentError, match="data"):
        codec.pack_json(bad, "stream.publish: data")


def test_nesting_is_bounded():
    for kind in list, dict:
        assert codec.unpack(codec.pack_json(nested(100, kind), "v")) == nested(100, kind)
        with pytest.raises(InvalidArgumentError, match="nested deeper than 100"):
            codec.pack_json(nested(102, kind), "v")
    loop = []
    loop.append(loop)
    with pytest.raises(InvalidArgumentError, match="nested deeper"):
        codec.pack_json(loop, "v")


def test_lists_of_texts():
    for v in ["a", "b"], ("a", "b"), iter(["a", "b"]), {"a": 1, "b": 2}.keys():
        assert codec.unpack(codec.pack_texts(v, "keys")) == ["a", "b"]
    assert codec.unpack(codec.pack_texts([], "keys")) == []
    assert codec.unpack(codec.pack_texts(["k"] * 70000, "keys")) == ["k"] * 70000
    for bad in "ab", b"ab", None, 1, {"a": 1}, object():
        with pytest.raises(InvalidArgumentError, match="keys must be a list of texts"):
            codec.pack_texts(bad, "kv.mget: keys")
    for bad in [1], [None], [b"a"], [["a"]]:
        with pytest.raises(InvalidArgumentError, match="keys must hold only texts"):
            codec.pack_texts(bad, "kv.mget: keys")


def test_pairs():
    want = [["a", "1"], ["b", b"\xff"]]
    for v in [("a", "1"), ("b", b"\xff")], [["a", "1"], ["b", b"\xff"]], {"a": "1", "b": b"\xff"}:
        assert codec.unpack(codec.pack_pairs(v, "pairs")) == want
    for bad in None, "ab", 1, ["ab"], [("a",)], [("a", "b", "c")], [(1, "a")], [("a", 1)]:
        with pytest.raises(InvalidArgumentError, match="pairs"):
            codec.pack_pairs(bad, "kv.mset: pairs")


def test_text_maps():
    assert codec.unpack(codec.pack_text_map({"a": "b"}, "m")) == {"a": "b"}
    for bad in None, [("a", "b")], {"a": 1}, {1: "a"}:
        with pytest.raises(InvalidArgumentError, match="m"):
            codec.pack_text_map(bad, "m")


@pytest.mark.parametrize(
    "bad",
    [b"", b"\xc1", b"\xc7\x01\x00\x00", b"\xd9", b"\xd9\x05ab", b"\xa3ab", b"\x92\x01", b"\xdd\xff\xff\xff\xff",
     b"\x81\xa1a", b"\xcb\x00", b"\xa1\xff", b"\x01\x02", b"\xc4\x02a", b"\x91" * 500, b"\x81\x90\x01"],
)  # fmt: skip
def test_malformed_replies_are_protocol_errors(bad):
    with pytest.raises(ProtocolError):
        codec.unpack(bad)
