"""The native wires: binary values, pushes, what has no form, a server that restarts."""

import asyncio

import pytest

from synap_sdk import (
    AsyncSynapClient,
    InvalidArgumentError,
    SynapClient,
    SynapConnectionError,
    UnauthenticatedError,
    UnsupportedError,
)
from synap_sdk.testing import TestServer

ANY = "127.0.0.1:0"


@pytest.fixture
def server():
    with TestServer(rpc=ANY, resp3=ANY) as s:
        yield s


@pytest.fixture(params=["synap", "resp3"])
def url(request, server):
    return server.rpc_url if request.param == "synap" else server.resp3_url


def test_bytes_are_bytes(url):
    with SynapClient(url) as c:
        value = bytes(range(256))
        c.kv.set("b", value, ttl=100)
        assert c.kv.get("b") == value and c.kv.ttl("b") > 90
        c.kv.set("t", "123")
        assert c.kv.get("t") == "123" and c.kv.get_bytes("t") == b"123"
        c.kv.mset([("m", value), ("n", "x")])
        assert c.kv.mget(["m", "none", "n"]) == [value, None, "x"]
        c.queue.create("q")
        c.queue.publish("q", value, priority=9)
        message = c.queue.consume("q", "w")
        assert message.payload == value and message.priority == 9
        c.queue.ack("q", message.message_id)
        c.stream.create("r")
        c.stream.publish("r", "e", {"a": [1, None]})
        assert c.stream.consume("r", "s")[0].data == {"a": [1, None]}
        assert c.command("kv.get", {"key": "t"}) == "123"


def test_batches_and_many_tasks(url):
    async def main():
        async with AsyncSynapClient(url) as c:
            async with c.batch() as b:
                for i in range(500):
                    b.kv.set(f"k{i}", str(i))
            assert len(b.results) == 500
            got = await asyncio.gather(*(c.kv.get(f"k{i}") for i in range(500)))
            assert got == [str(i) for i in range(500)]

    asyncio.run(main())


def test_what_has_no_form_is_refused_before_it_is_sent(url):
    with SynapClient(url) as c:
        for call in (
            lambda: c.kv.set("k", "v", nx=True),
            lambda: c.queue.create("q", max_depth=5),
            lambda: c.pubsub.info("t"),
            lambda: c.command("group.join", {}),
        ):
            with pytest.raises(UnsupportedError) as e:
                call()
            assert not e.value.maybe_applied


def test_subscriptions_over_synaprpc(server):
    with SynapClient(server.rpc_url) as c:
        messages = c.pubsub.subscribe(["news.*"])
        c.pubsub.publish("news.one", {"n": 1})
        got = next(messages)
        assert (got.topic, got.message) == ("news.one", {"n": 1})
        messages.close()
        watch = c.kv.watch(["user:*"])
        c.kv.set("user:1", "x")
        event = next(watch)
        assert (event.key, event.event, event.value) == ("user:1", "set", "x")
        watch.close()


def test_resp3_has_no_pushes(server):
    with SynapClient(server.resp3_url) as c:
        with pytest.raises(UnsupportedError):
            c.pubsub.subscribe(["t"])


def test_the_guides_subscription_on_a_stock_server():
    """Stock Synap refuses WebSockets; pushes then come over SynapRPC."""
    with TestServer(rpc=ANY, stock=True) as s:

        async def main():
            client = AsyncSynapClient(s.url, push=s.rpc_url)
            got = []

            async def reader():
                async for message in client.pubsub.subscribe(["notifications.*"]):
                    got.append(message.message)
                    if len(got) == 3:
                        break

            task = asyncio.ensure_future(reader())
            while not task.done():
                await client.pubsub.publish("notifications.email", "New order received")
                await asyncio.sleep(0.02)
            await task
            assert got == ["New order received"] * 3
            await client.close()

        asyncio.run(asyncio.wait_for(main(), 10))


def test_credentials():
    with TestServer(rpc=ANY, resp3=ANY, user="root", password="pw") as s:
        for url in (s.rpc_url, s.resp3_url):
            with SynapClient(url, username="root", password="pw") as c:
                c.kv.set("k", "v")
            with SynapClient(url, username="root", password="s3cret") as c:
                with pytest.raises(UnauthenticatedError) as e:
                    c.kv.get("k")
                assert "s3cret" not in str(e.value)
            with SynapClient(url) as c:
                with pytest.raises(UnauthenticatedError):
                    c.kv.get("k")
    with pytest.raises(InvalidArgumentError):
        SynapClient("synap://localhost", api_key="sk_x")


def test_nobody_there():
    with SynapClient("synap://127.0.0.1:1", max_retries=0) as c:
        with pytest.raises(SynapConnectionError) as e:
            c.kv.set("k", "v")
        assert not e.value.maybe_applied
