"""Bad input and failing calls: the right exception, at once, saying what to do."""

import asyncio
import copy
import pickle
import socket
import time

import pytest

import synap_sdk
from synap_sdk import (
    AsyncSynapClient,
    ClosedError,
    InvalidArgumentError,
    NotFoundError,
    SynapClient,
    SynapConnectionError,
    SynapError,
    SynapTimeoutError,
    UnsupportedError,
)
from synap_sdk._generated import _table


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def silent_server():
    """A server that accepts connections and never answers."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(64)
        yield f"http://127.0.0.1:{s.getsockname()[1]}"


BAD_CALLS = {
    "key is no text": (lambda c: c.kv.get(1), "key must be text"),
    "key is bytes": (lambda c: c.kv.get(b"k"), "key must be text"),
    "key is missing": (lambda c: c.kv.get(None), "key must be text"),
    "key is a surrogate": (lambda c: c.kv.get("\ud800"), "surrogate"),
    "value is a number": (lambda c: c.kv.set("k", 1), "set_json"),
    "value is None": (lambda c: c.kv.set("k", None), "value must be text"),
    "ttl is negative": (lambda c: c.kv.set("k", "v", ttl=-1), "ttl must be from 1"),
    "ttl is zero": (lambda c: c.kv.set("k", "v", ttl=0), "ttl must be from 1"),
    "ttl is a float": (lambda c: c.kv.set("k", "v", ttl=1.5), "ttl must be an integer"),
    "ttl is text": (lambda c: c.kv.set("k", "v", ttl="60"), "ttl must be an integer"),
    "ttl is a bool": (lambda c: c.kv.set("k", "v", ttl=True), "ttl must be an integer"),
    "nx is a number": (lambda c: c.kv.set("k", "v", nx=1), "nx must be True or False"),
    "nx and xx": (lambda c: c.kv.set("k", "v", nx=True, xx=True), "exclude each other"),
    "amount is too large": (lambda c: c.kv.incrby("k", 2**63), "int64 range"),
    "amount is far too large": (lambda c: c.kv.incrby("k", 2**100), "int64 range"),
    "offset is negative": (lambda c: c.kv.setrange("k", -1, "v"), "offset must be from 0"),
    "offset is huge": (lambda c: c.kv.setrange("k", 2**40, "v"), "offset must be from 0"),
    "keys is a text": (lambda c: c.kv.mget("abc"), "keys must be a list"),
    "keys hold a number": (lambda c: c.kv.mget(["a", 1]), "keys must hold only texts"),
    "pairs are texts": (lambda c: c.kv.mset(["ab"]), "pairs"),
    "payload is text": (lambda c: c.queue.publish("q", "text"), "payload must be bytes"),
    "priority is too high": (lambda c: c.queue.publish("q", b"", priority=10), "priority must be from 0 to 9"),
    "priority is negative": (lambda c: c.queue.publish("q", b"", priority=-1), "priority must be from 0 to 9"),
    "message id is empty": (lambda c: c.queue.ack("q", ""), "message_id must not be empty"),
    "depth is zero": (lambda c: c.queue.create("q", max_depth=0), "max_depth must be from 1"),
    "two partitions": (lambda c: c.stream.create("r", partitions=2), "partitions must be from 1 to 1"),
    "data is bytes": (lambda c: c.stream.publish("r", "e", b"x"), "bytes"),
    "data is an object": (lambda c: c.stream.publish("r", "e", object()), "data cannot hold a object"),
    "data is not a number": (lambda c: c.stream.publish("r", "e", float("nan")), "NaN"),
    "data has number keys": (lambda c: c.stream.publish("r", "e", {1: 2}), "keys of its dicts"),
    "topic is empty": (lambda c: c.pubsub.publish("", 1), "topic must not be empty"),
    "metadata is no map": (lambda c: c.pubsub.publish("t", 1, metadata=[1]), "metadata must be a dict"),
    "no topics": (lambda c: c.pubsub.subscribe([]), "topics must not be empty"),
    "an empty topic": (lambda c: c.pubsub.subscribe([""]), "topics element 0 must not be empty"),
    "topics is a text": (lambda c: c.pubsub.subscribe("t"), "topics must be a list"),
    "buffer is zero": (lambda c: c.pubsub.subscribe(["t"], buffer=0), "buffer must be from 1"),
    "overflow is unknown": (lambda c: c.pubsub.subscribe(["t"], overflow="maybe"), "overflow must be"),
    "no keys to watch": (lambda c: c.kv.watch([]), "keys must not be empty"),
    "timeout is zero": (lambda c: c.kv.get("k", timeout=0), "timeout must be a number of seconds above 0"),
    "timeout is negative": (lambda c: c.kv.get("k", timeout=-1), "above 0"),
    "timeout is infinite": (lambda c: c.kv.get("k", timeout=float("inf")), "above 0 and at most"),
    "timeout is not a number": (lambda c: c.kv.get("k", timeout=float("nan")), "above 0"),
    "timeout is text": (lambda c: c.kv.get("k", timeout="5"), "timeout must be a number"),
    "command is no text": (lambda c: c.command(1), "name must be text"),
    "raw payload is an object": (lambda c: c.command("kv.get", object()), "payload cannot hold"),
}


@pytest.mark.parametrize("name", list(BAD_CALLS))
def test_bad_arguments(client, name):
    call, message = BAD_CALLS[name]
    with pytest.raises(InvalidArgumentError) as e:
        call(client)
    assert message in e.value.message
    assert e.value.code == "InvalidArgument" and e.value.status_code is None
    assert not e.value.retryable and not e.value.maybe_applied
    assert isinstance(e.value, ValueError)


@pytest.mark.parametrize("name", list(BAD_CALLS))
def test_bad_arguments_in_asyncio(name):
    call, message = BAD_CALLS[name]

    async def main():
        async with AsyncSynapClient("memory://") as client:
            with pytest.raises(InvalidArgumentError) as e:
                await call(client)
            assert message in e.value.message

    asyncio.run(main())


BAD_ADDRESSES = {
    "ftp://localhost": "unknown scheme",
    "localhost:15500": "scheme",
    "http://": "no host",
    "http://localhost:0": "port",
    "http://localhost:99999": "port",
    "http://localhost:abc": "port",
    "http://local host": "space",
    "http://localhost?colour=red": "unknown option",
    "http://localhost?timeout=soon": "timeout",
    "http://user@localhost": "user:password@",
    "http://::1:15500": "brackets",
    "memory://a/b": "memory address",
}


@pytest.mark.parametrize("cls", [SynapClient, AsyncSynapClient])
@pytest.mark.parametrize("address", list(BAD_ADDRESSES))
def test_bad_addresses(cls, address):
    with pytest.raises(InvalidArgumentError, match=BAD_ADDRESSES[address]):
        cls(address)


@pytest.mark.parametrize(
    "options",
    [{"timeout": -1}, {"timeout": "soon"}, {"timeout": 0}, {"max_retries": -1}, {"max_retries": 1.5}, {"pool_size": 0},
     {"username": "a"}, {"password": "a"}, {"api_key": "k", "username": "a", "password": "b"}, {"api_key": "a\nb"},
     {"tls_cert": "x"}, {"timeout": [1]}, {"api_key": object()}],
    ids=str,
)  # fmt: skip
def test_bad_options(options):
    with pytest.raises(InvalidArgumentError):
        SynapClient("http://localhost", **options)


def test_unknown_options_are_type_errors():
    with pytest.raises(TypeError):
        SynapClient("http://localhost", colour="red")


@pytest.mark.parametrize("url", [None, 1, b"http://localhost", "http://local\ud800host"])
def test_addresses_that_are_no_text(url):
    with pytest.raises(InvalidArgumentError, match="url must be"):
        SynapClient(url)


def test_errors_of_the_server(client):
    with pytest.raises(NotFoundError) as e:
        client.queue.publish("nowhere", b"")
    assert e.value.status_code == 404 and e.value.code == "NotFound" and e.value.command == "queue.publish"
    assert str(e.value) == "queue.publish: Queue not found: nowhere (NotFound, status 404)"
    client.kv.set("k", "text")
    with pytest.raises(InvalidArgumentError, match="not a valid integer") as e:
        client.kv.incr("k")
    assert e.value.status_code == 400


def test_unknown_commands(client):
    with pytest.raises(UnsupportedError):
        client.command("no.such", {})


def test_a_server_that_is_down():
    with SynapClient(f"http://127.0.0.1:{closed_port()}", max_retries=1, backoff=0.01) as client:
        with pytest.raises(SynapConnectionError) as e:
            client.kv.get("k")
        assert isinstance(e.value, ConnectionError) and e.value.status_code is None and e.value.retryable
        with pytest.raises(ConnectionError):
            client.kv.incr("k")


def test_a_server_that_is_down_in_asyncio():
    async def main():
        async with AsyncSynapClient(f"http://127.0.0.1:{closed_port()}", max_retries=0) as client:
            with pytest.raises(SynapConnectionError):
                await client.kv.get("k")

    asyncio.run(main())


def test_timeouts(silent_server):
    with SynapClient(silent_server) as client:
        start = time.monotonic()
        with pytest.raises(SynapTimeoutError) as e:
            client.kv.incr("k", timeout=0.3)
        assert 0.25 < time.monotonic() - start < 2
        assert isinstance(e.value, TimeoutError) and e.value.maybe_applied
    with SynapClient(silent_server, timeout=0.2) as client:
        with pytest.raises(TimeoutError) as e:
            client.kv.get("k")
        assert not e.value.maybe_applied


def test_timeouts_in_asyncio(silent_server):
    async def main():
        async with AsyncSynapClient(silent_server) as client:
            start = time.monotonic()
            results = await asyncio.gather(*[client.kv.get("k", timeout=0.3) for _ in range(50)], return_exceptions=True)
            assert all(isinstance(r, SynapTimeoutError) for r in results)
            assert time.monotonic() - start < 2

    asyncio.run(main())


def test_closed_clients():
    client = SynapClient("memory://")
    subscription = client.pubsub.subscribe(["t"])
    kv = client.kv
    client.close()
    client.close()
    assert client.closed
    for call in (
        lambda: client.kv.get("k"),
        lambda: kv.get("k"),
        lambda: client.pubsub.subscribe(["t"]),
        lambda: subscription.next(),
        lambda: client.command("kv.get", {"key": "k"}),
    ):
        with pytest.raises(ClosedError, match="closed"):
            call()
    with pytest.raises(ClosedError):
        with client.batch() as batch:
            batch.kv.get("k")
    assert list(subscription) == []
    subscription.close()


def test_closed_clients_in_asyncio():
    async def main():
        client = AsyncSynapClient("memory://")
        await client.kv.set("k", "v")
        subscription = await client.pubsub.subscribe(["t"])
        await client.close()
        await client.close()
        for call in (lambda: client.kv.get("k"), lambda: subscription.next(), lambda: client.command("kv.get")):
            with pytest.raises(ClosedError, match="closed") as e:
                await call()
            assert not e.value.maybe_applied
        assert [item async for item in subscription] == []
        await subscription.close()
        never_used = AsyncSynapClient("memory://")
        await never_used.close()
        with pytest.raises(ClosedError):
            await never_used.kv.get("k")

    asyncio.run(main())


def test_every_error_is_what_it_says():
    for _, code, name in _table.ERRORS:
        e = getattr(synap_sdk, name)("what happened", status_code=404, maybe_applied=True, command="kv.get")
        assert isinstance(e, SynapError) and e.code == code and e.message == "what happened"
        assert str(e) == f"kv.get: what happened ({code}, status 404, may have been applied)"
        for again in pickle.loads(pickle.dumps(e)), copy.copy(e):
            assert type(again) is type(e) and str(again) == str(e) and again.status_code == 404


def test_secrets_are_never_shown(silent_server):
    host = silent_server.partition("://")[2]
    for make in (
        lambda: SynapClient(f"http://admin:s3cret@{host}"),
        lambda: SynapClient(silent_server + "?api_key=s3cret"),
        lambda: SynapClient(silent_server, api_key="s3cret"),
        lambda: SynapClient(silent_server, username="admin", password="s3cret"),
        lambda: AsyncSynapClient(f"http://admin:s3cret@{host}/prefix"),
    ):
        client = make()
        assert "s3cret" not in repr(client) and host in repr(client)
        if isinstance(client, SynapClient):
            with pytest.raises(SynapError) as e:
                client.kv.get("k", timeout=0.05)
            assert "s3cret" not in str(e.value) + repr(e.value)
    for bad in "http://admin:s3cret@", "http://admin:s3cret@localhost:x", "ftp://admin:s3cret@h", "http://a:s3cret@h?timeout=x":
        with pytest.raises(InvalidArgumentError) as e:
            SynapClient(bad)
        assert "s3cret" not in str(e.value) + repr(e.value)
