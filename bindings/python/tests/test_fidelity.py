"""What goes in comes out: byte for byte, type for type."""

import asyncio

import pytest

from synap_sdk import BinaryValueError, InvalidArgumentError, SynapClient

TEXTS = ["123", "true", "null", "{}", "", "[1,2]", '"quoted"', "1.0", " padded ", "é", "\U0001f600", "a\x00b", "\x00", "\r\n", "\\u0041", "x" * (1 << 20)]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS, ids=lambda t: repr(t)[:20])
def test_text_stays_text(client, text):
    client.kv.set("k", text)
    got = client.kv.get("k")
    assert got == text and type(got) is str
    assert client.kv.get_bytes("k") == text.encode()
    assert client.kv.mget(["k"]) == [text]
    client.kv.mset([("m", text)])
    assert client.kv.get("m") == text
    assert client.kv.getset("k", "new") == text


@pytest.mark.parametrize("text", TEXTS, ids=lambda t: repr(t)[:20])
def test_text_stays_text_in_asyncio(aclient, text):
    async def main():
        async with aclient() as client:
            await client.kv.set("k", text)
            got = await client.kv.get("k")
            assert got == text and type(got) is str

    asyncio.run(main())


def test_bytes_that_are_text_come_back_from_get_bytes(client):
    client.kv.set("k", b"123")
    assert client.kv.get_bytes("k") == b"123"
    client.kv.append("k", b"4")
    assert client.kv.get_bytes("k") == b"1234"


def test_binary_values_in_memory():
    with SynapClient("memory://") as client:
        for value in b"\xde\xad\xbe\xef", bytes(range(256)), b"\xff" * (1 << 20):
            client.kv.set("k", value)
            assert client.kv.get("k") == value
            assert client.kv.get_bytes("k") == value
            client.kv.set("k", bytearray(value))
            assert client.kv.mget(["k", "missing"]) == [value, None]


def test_binary_values_are_refused_over_http(server):
    with SynapClient(server.url) as client:
        for call in (
            lambda: client.kv.set("k", b"\xde\xad\xbe\xef"),
            lambda: client.kv.append("k", b"\xff"),
            lambda: client.kv.mset([("k", b"\xff")]),
        ):
            with pytest.raises((BinaryValueError, InvalidArgumentError), match="synap://|memory://"):
                call()


def test_missing_is_none(client):
    assert client.kv.get("missing") is None
    assert client.kv.get_bytes("missing") is None
    assert client.kv.get_json("missing") is None
    assert client.kv.mget(["missing"]) == [None]


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, 2**53 + 1, 2**63 - 1, -(2**63), 1.5, "", "123", "é\U0001f600", [], {}, [1, [2, {"a": None}]], {"z": 1, "a": [True]}],
    ids=repr,
)  # fmt: skip
def test_json_values(client, value):
    client.kv.set_json("k", value)
    got = client.kv.get_json("k")
    assert got == value and type(got) is type(value)
    client.stream.get_or_create("room")
    offset = client.stream.publish("room", "e", value)
    event = client.stream.consume("room", "me", from_offset=offset)[0]
    assert event.data == value and type(event.data) is type(value)
    with client.pubsub.subscribe(["t"]) as messages:
        client.pubsub.publish("t", value)
        message = messages.next(timeout=5).message
        assert message == value and type(message) is type(value)


def test_order_of_members_is_kept(client):
    client.kv.set_json("k", {"z": 1, "a": 2, "m": 3})
    assert list(client.kv.get_json("k")) == ["z", "a", "m"]


@pytest.mark.parametrize("payload", [b"", b"123", b"\xde\xad\xbe\xef", bytes(range(256)), b"text", b"\x00" * 100_000])
def test_queue_payloads_are_bytes(client, payload):
    client.queue.create("q")
    client.queue.publish("q", payload)
    got = client.queue.consume("q", "w").payload
    assert got == payload and type(got) is bytes


def test_integers_are_exact(client):
    client.kv.set("n", str(2**63 - 2))
    assert client.kv.incr("n") == 2**63 - 1
    client.kv.set("n", str(-(2**63) + 1))
    assert client.kv.decr("n") == -(2**63)


@pytest.mark.parametrize("key", ["", " ", "é", "a/b", "a?b=c#d", "%41", "\U0001f600", "a b", "x" * 1000, "..", "\x00"])
def test_any_text_is_a_key(client, key):
    client.kv.set(key, "v")
    assert client.kv.get(key) == "v"
    assert client.kv.exists(key) is True
    assert client.kv.delete(key) is True
    assert client.kv.get(key) is None
