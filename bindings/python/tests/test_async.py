"""AsyncSynapClient and event loops: many calls, cancellation, several loops, closing."""

import asyncio
import gc
import os
import socket
import threading
import time

import pytest

from synap_sdk import AsyncSynapClient, ClosedError, InvalidArgumentError, NotFoundError, SynapClient, UnsupportedError


@pytest.fixture
def silent_server():
    """A server that accepts connections and never answers."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(64)
        yield f"http://127.0.0.1:{s.getsockname()[1]}"


def test_many_calls_at_once_get_their_own_replies(aclient):
    async def main():
        async with aclient() as client:

            async def work(i):
                await client.kv.set(f"k{i}", f"v{i}")
                assert await client.kv.get(f"k{i}") == f"v{i}"
                with pytest.raises(NotFoundError, match=f"nowhere{i}"):
                    await client.queue.publish(f"nowhere{i}", b"")

            await asyncio.gather(*[work(i) for i in range(300)])

    asyncio.run(main())


def test_methods_make_tasks(aclient):
    async def main():
        async with aclient() as client:
            task = asyncio.create_task(client.kv.set("k", "v"))
            assert await task is True

    asyncio.run(main())


def test_cancelling_a_task_cancels_its_call_alone(silent_server, server):
    async def main():
        async with AsyncSynapClient(silent_server) as client, AsyncSynapClient(server.url) as other:
            task = asyncio.create_task(client.kv.get("k"))
            await asyncio.sleep(0.05)
            task.cancel()
            start = time.monotonic()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - start < 0.2

            async def work(i):
                await other.kv.set(f"c{i}", f"{i}")
                return await other.kv.get(f"c{i}")

            tasks = [asyncio.create_task(work(i)) for i in range(200)]
            await asyncio.sleep(0.005)
            for t in tasks[::2]:
                t.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            for i in range(1, 200, 2):
                assert results[i] == f"{i}"
            for r in results[::2]:
                assert isinstance(r, (str, asyncio.CancelledError))
            assert await other.kv.get("c1") == "1"
            completions = other._channel._completions
            await asyncio.sleep(0.2)
            assert completions._pending == {} and completions._kept == {} and completions._late == {}

    asyncio.run(main())


def test_wait_for_cancels(silent_server):
    async def main():
        async with AsyncSynapClient(silent_server) as client:
            start = time.monotonic()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.kv.get("k"), 0.1)
            assert time.monotonic() - start < 1

    asyncio.run(main())


def test_a_client_serves_one_loop_after_another(aclient):
    client = aclient()

    async def use(value):
        await client.kv.set("k", value)
        return await client.kv.get("k")

    for value in "first", "second", "third":
        assert asyncio.run(use(value)) == value
    asyncio.run(client.close())


def test_a_second_loop_at_the_same_time_is_refused():
    client = AsyncSynapClient("memory://")
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(client.kv.set("k", "v"))

        async def main():
            with pytest.raises(InvalidArgumentError, match="one client per event loop"):
                await client.kv.get("k")

        asyncio.run(main())
        assert loop.run_until_complete(client.kv.get("k")) == "v"
        loop.run_until_complete(client.close())
    finally:
        loop.close()


def test_two_loops_with_a_client_each(server):
    failures = []

    def work(n):
        async def main():
            async with AsyncSynapClient(server.url) as client:
                for i in range(100):
                    await client.kv.set(f"{n}-{i}", f"{i}")
                    assert await client.kv.get(f"{n}-{i}") == f"{i}"

        try:
            asyncio.run(main())
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failures == []


def test_a_loop_without_add_reader_is_told():
    class Loop(asyncio.SelectorEventLoop):
        def add_reader(self, *args):
            raise NotImplementedError

    client = AsyncSynapClient("memory://")
    loop = Loop()
    try:
        with pytest.raises(UnsupportedError, match="add_reader"):
            loop.run_until_complete(client.kv.get("k"))
    finally:
        loop.close()


def test_closing_fails_what_is_in_flight(silent_server):
    async def main():
        client = AsyncSynapClient(silent_server)
        tasks = [asyncio.create_task(client.kv.incr("k")) for _ in range(10)]
        await asyncio.sleep(0.05)
        await asyncio.wait_for(client.close(), 2)
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 2)
        for r in results:
            assert isinstance(r, ClosedError) and r.maybe_applied

    asyncio.run(main())


def test_closing_a_sync_client_on_another_thread_ends_its_async_subscription():
    client = SynapClient("memory://")

    async def main():
        threading.Timer(0.2, client.close).start()
        return [m async for m in client.pubsub.subscribe(["t"])]

    assert asyncio.run(asyncio.wait_for(main(), 5)) == []


def test_dropped_clients_leave_nothing_behind(server):
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    async def main():
        await AsyncSynapClient("memory://").kv.get("k")
        await asyncio.sleep(0)
        gc.collect()
        await asyncio.sleep(0.05)
        before = descriptors()
        for _ in range(20):
            client = AsyncSynapClient("memory://")
            await client.kv.get("k")
            subscription = await client.pubsub.subscribe(["t"])
            del client, subscription
        gc.collect()
        await asyncio.sleep(0.1)
        assert descriptors() <= before + 1
        # The loop still works with descriptors that were used before.
        async with AsyncSynapClient("memory://") as client:
            assert await client.kv.get("k") is None

    asyncio.run(main())


def test_batches(aclient):
    async def main():
        async with aclient() as client:
            async with client.batch() as batch:
                batch.kv.set("a", "1")
                value = batch.kv.incr("a")
                batch.kv.get("a")
            assert batch.results == [True, 2, "2"] and value.result() == 2
            with pytest.raises(NotFoundError):
                async with client.batch() as batch:
                    batch.queue.ack("nowhere", "id")
            async with client.batch(raise_on_error=False) as batch:
                batch.queue.ack("nowhere", "id")
                batch.command("kv.get", {"key": "a"})
            assert type(batch.results[0]) is NotFoundError and batch.results[1] == "2"
            assert await client.batch().execute() == []

    asyncio.run(main())
