"""The guide's quick start with AsyncSynapClient: python quickstart_async.py ADDRESS.

Says nothing when all is well; exits with 1 otherwise.
"""

import asyncio
import sys

from synap_sdk import AsyncSynapClient


async def main(address: str) -> None:
    async with AsyncSynapClient(address) as client:
        # Key-value operations
        await client.kv.set("user:1", "John Doe", ttl=3600)
        assert await client.kv.get("user:1") == "John Doe"
        assert await client.kv.delete("user:1") is True

        # Queue operations
        await client.queue.create("jobs", max_depth=1000)
        await client.queue.publish("jobs", b"Hello", priority=5)
        message = await client.queue.consume("jobs", "worker-1")
        assert message is not None and message.payload == b"Hello"
        await client.queue.ack("jobs", message.message_id)

        # Event streams
        await client.stream.get_or_create("notifications")
        offset = await client.stream.publish("notifications", "user.signup", "New user registered")
        events = await client.stream.consume("notifications", "user-1", from_offset=offset, limit=10)
        assert [(e.event, e.data) for e in events] == [("user.signup", "New user registered")]

        # Pub/sub
        async with client.pubsub.subscribe(["notifications.*"]) as messages:
            await client.pubsub.publish("notifications.email", "New order received")
            async for received in messages:
                assert (received.topic, received.message) == ("notifications.email", "New order received")
                break


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
