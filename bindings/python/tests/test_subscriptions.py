"""Subscriptions: both ways to iterate, registering, waiting, cancelling, ending."""

import asyncio
import gc
import threading
import time

import pytest

from synap_sdk import ClosedError, InvalidArgumentError, NotFoundError, SynapClient, SynapTimeoutError


def eventually(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def subscribers(client):
    return client.pubsub.stats().total_subscribers


def test_what_is_published_after_subscribe_is_seen(client):
    subscription = client.pubsub.subscribe(["a.*", "b"])
    for i in range(1000):
        client.pubsub.publish("a.x" if i % 2 else "b", i)
    got = [next(subscription) for _ in range(1000)]
    assert [m.message for m in got] == list(range(1000))
    assert got[0].topic == "b" and got[1].topic == "a.x" and all(m.lost == 0 for m in got)
    subscription.close()
    subscription.close()
    assert list(subscription) == []


def test_iterating_in_a_thread(client):
    got = []
    client.stream.create("r")
    subscription = client.stream.follow("r", "me")

    def read():
        for event in subscription:
            got.append(event.data)

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(500):
        client.stream.publish("r", "e", i)
    eventually(lambda: len(got) == 500)
    subscription.close()
    reader.join(5)
    assert not reader.is_alive() and got == list(range(500))


def test_next_waits_as_long_as_told(client):
    with client.pubsub.subscribe(["t"]) as messages:
        start = time.monotonic()
        with pytest.raises(SynapTimeoutError):
            messages.next(timeout=0.2)
        assert 0.15 < time.monotonic() - start < 1.5
        with pytest.raises(TimeoutError):
            messages.next(timeout=0)
        threading.Timer(0.2, client.pubsub.publish, ("t", "late")).start()
        assert messages.next().message == "late"
    with pytest.raises(ClosedError, match="subscription is closed"):
        messages.next(timeout=1)


def test_lost_items_are_told():
    with SynapClient("memory://lost") as client:
        with client.pubsub.subscribe(["t"], buffer=10) as messages:
            for i in range(50):
                client.pubsub.publish("t", i)
            got = [messages.next(timeout=1) for _ in range(10)]
            assert [m.message for m in got] == list(range(40, 50))
            assert [m.lost for m in got] == [40] + [0] * 9


def test_watch(client):
    with client.kv.watch(["user:*"]) as events:
        client.kv.set("user:1", "x")
        client.kv.set("other", "y")
        client.kv.delete("user:1")
        first, second = events.next(timeout=5), events.next(timeout=5)
    assert (first.key, first.event, first.value) == ("user:1", "set", "x")
    assert (second.key, second.event, second.value) == ("user:1", "del", None)


def test_follow_of_what_does_not_exist(client):
    for follow in client.stream.follow, client.queue.follow:
        with pytest.raises(NotFoundError):
            follow("nowhere", "me")


def test_follow_of_what_does_not_exist_in_asyncio(aclient):
    async def main():
        async with aclient() as client:
            for follow in client.stream.follow, client.queue.follow:
                with pytest.raises(NotFoundError):
                    async for _ in follow("nowhere", "me"):
                        pass

    asyncio.run(main())


def test_queue_follow_redelivers_what_was_rejected(client):
    client.queue.create("q")
    for i in range(20):
        client.queue.publish("q", b"%d" % i)
    seen = []
    with client.queue.follow("q", "w") as messages:
        for message in messages:
            seen.append(message.payload)
            if len(seen) == 1:
                client.queue.nack("q", message.message_id)
                continue
            client.queue.ack("q", message.message_id)
            if len(seen) == 21:
                break
    assert sorted(set(seen)) == sorted(b"%d" % i for i in range(20)) and seen.count(b"0") == 2


def test_a_dropped_subscription_unsubscribes(client):
    before = subscribers(client)
    subscription = client.pubsub.subscribe(["t"])
    assert subscribers(client) > before
    del subscription
    gc.collect()
    eventually(lambda: subscribers(client) == before)


def test_a_loop_left_by_break_unsubscribes(client):
    timer = threading.Timer(0.1, client.pubsub.publish, ("t", 1))
    timer.start()
    for _ in client.pubsub.subscribe(["t"]):
        break
    gc.collect()
    eventually(lambda: subscribers(client) == 0)


def test_sync_client_inside_a_loop(client):
    """As the guide does: the subscription of a SynapClient in async for."""

    async def main():
        async def publish():
            while True:
                client.pubsub.publish("t", "x")
                await asyncio.sleep(0.01)

        subscription = client.pubsub.subscribe(["t"])
        assert "not registered yet" in repr(subscription)
        publisher = asyncio.ensure_future(publish())
        got = []
        async for message in subscription:
            got.append(message.message)
            if len(got) == 5:
                break
        publisher.cancel()
        async with client.pubsub.subscribe(["u"]) as messages:
            client.pubsub.publish("u", 1)
            async for message in messages:
                assert message.message == 1
                break
        with client.pubsub.subscribe(["v"]) as messages:
            client.pubsub.publish("v", 2)
            assert messages.next(timeout=5).message == 2
        return got

    for _ in range(2):
        assert asyncio.run(asyncio.wait_for(main(), 10)) == ["x"] * 5


def test_the_loop_goes_on_while_a_subscription_waits(aclient):
    async def main():
        async with aclient() as client:
            subscription = await client.pubsub.subscribe(["t"])
            waiting = asyncio.ensure_future(subscription.next())
            start = time.monotonic()
            for _ in range(20):
                await asyncio.sleep(0.01)
            assert time.monotonic() - start < 1
            await client.pubsub.publish("t", "x")
            assert (await asyncio.wait_for(waiting, 5)).message == "x"
            await subscription.close()
            await subscription.close()

    asyncio.run(main())


def test_next_waits_as_long_as_told_in_asyncio(aclient):
    async def main():
        async with aclient() as client:
            async with client.pubsub.subscribe(["t"]) as messages:
                with pytest.raises(SynapTimeoutError):
                    await messages.next(timeout=0.1)
                await client.pubsub.publish("t", 1)
                assert (await messages.next(timeout=5)).message == 1
            with pytest.raises(ClosedError):
                await messages.next(timeout=1)

    asyncio.run(main())


def test_a_cancelled_reader_loses_nothing(aclient):
    """Readers are cancelled at every moment; every item comes once, in order."""

    async def main():
        async with aclient() as client:
            async with client.pubsub.subscribe(["t"], buffer=100_000) as messages:
                got, total = [], 400

                async def publish():
                    for i in range(total):
                        await client.pubsub.publish("t", i)
                        if i % 7 == 0:
                            await asyncio.sleep(0.001)

                publisher = asyncio.ensure_future(publish())
                turn = 0
                while len(got) < total:
                    reader = asyncio.ensure_future(messages.next(timeout=5))
                    for _ in range(turn % 5):
                        await asyncio.sleep(0)
                    turn += 1
                    if turn % 3:
                        reader.cancel()
                    try:
                        got.append((await reader).message)
                    except asyncio.CancelledError:
                        pass
                await publisher
                assert got == list(range(total))

    asyncio.run(asyncio.wait_for(main(), 60))


def test_registering_that_is_cancelled_leaves_no_subscription(aclient, client):
    async def main():
        async with aclient() as other:
            for delay in 0, 0, 0.001, 0.002, 0.005:
                subscription = other.pubsub.subscribe(["t"])
                task = asyncio.ensure_future(subscription.__aenter__())
                await asyncio.sleep(delay)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await subscription.close()
            await asyncio.sleep(0.3)
            gc.collect()
            await asyncio.sleep(0.2)
            assert (await other.pubsub.stats()).total_subscribers == 0

    asyncio.run(main())


def test_async_subscriptions_iterate_both_ways(aclient):
    client = aclient()
    subscription = client.pubsub.subscribe(["t"])
    with subscription:
        asyncio.run(client.pubsub.publish("t", 1))
        assert next(iter(subscription)).message == 1
    asyncio.run(client.close())


@pytest.mark.parametrize("timeout", ["1", True, -1, float("nan")])
def test_bad_waits(client, timeout):
    with client.pubsub.subscribe(["t"]) as messages:
        with pytest.raises(InvalidArgumentError, match="timeout"):
            messages.next(timeout=timeout)
