"""What a program sees when its server goes away and comes back."""

import asyncio
import contextlib
import threading
import time

import pytest

from synap_sdk import AsyncSynapClient, SynapClient, SynapConnectionError
from synap_sdk.testing import TestServer


@pytest.fixture
def server():
    s = TestServer()
    yield s
    s.close()


def again(server):
    """Starts a new server on the address of one that was closed."""
    deadline = time.monotonic() + 5
    while True:
        try:
            return TestServer(server.url.partition("://")[2])
        except SynapConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_calls_fail_and_then_work_again(server):
    with SynapClient(server.url, max_retries=1, backoff=0.01) as client:
        client.kv.set("k", "v")
        server.close()
        for call in lambda: client.kv.get("k"), lambda: client.kv.incr("n"), lambda: client.pubsub.subscribe(["t"]):
            with pytest.raises(SynapConnectionError):
                call()
        with again(server):
            client.kv.set("k", "w")
            assert client.kv.get("k") == "w"


def test_many_tasks_all_end_when_the_server_goes(server):
    async def main():
        async with AsyncSynapClient(server.url, max_retries=1, backoff=0.01, timeout=3) as client:
            ended = 0

            async def work():
                nonlocal ended
                try:
                    while True:
                        await client.kv.incr("n")
                except SynapConnectionError:
                    ended += 1

            tasks = [asyncio.ensure_future(work()) for _ in range(64)]
            await asyncio.sleep(0.2)
            await asyncio.get_running_loop().run_in_executor(None, server.close)
            await asyncio.wait_for(asyncio.gather(*tasks), 10)
            assert ended == 64
            with again(server):
                assert await client.kv.incr("n") == 1

    asyncio.run(main())


def test_a_subscription_comes_back_and_says_what_it_cannot_know(server):
    with SynapClient(server.url, backoff=0.01) as client:
        with client.pubsub.subscribe(["t"]) as messages:
            client.pubsub.publish("t", 1)
            first = messages.next(timeout=5)
            assert (first.message, first.lost) == (1, 0)
            server.close()
            with again(server):
                done = threading.Event()

                def publish():
                    while not done.wait(0.05):
                        with contextlib.suppress(SynapConnectionError):
                            client.pubsub.publish("t", 2)

                publisher = threading.Thread(target=publish)
                publisher.start()
                try:
                    second = messages.next(timeout=10)
                finally:
                    done.set()
                    publisher.join()
                assert (second.message, second.lost) == (2, -1)


def test_an_async_subscription_comes_back(server):
    async def main():
        async with AsyncSynapClient(server.url, backoff=0.01) as client:
            async with client.pubsub.subscribe(["t"]) as messages:
                await client.pubsub.publish("t", 1)
                assert (await messages.next(timeout=5)).message == 1
                await asyncio.get_running_loop().run_in_executor(None, server.close)
                with again(server):

                    async def publish():
                        while True:
                            with contextlib.suppress(SynapConnectionError):
                                await client.pubsub.publish("t", 2)
                            await asyncio.sleep(0.05)

                    publisher = asyncio.ensure_future(publish())
                    message = await messages.next(timeout=10)
                    assert (message.message, message.lost) == (2, -1)
                    publisher.cancel()

    asyncio.run(main())
