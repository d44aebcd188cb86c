"""A program as a user writes it: `mypy --strict` passes over it, and the types are exact."""

from typing import Any, Dict, List, Optional, Union

from typing_extensions import assert_type

from synap_sdk import (
    AsyncSubscription,
    AsyncSynapClient,
    BatchResult,
    PubSubMessage,
    QueueMessage,
    StreamEvent,
    Subscription,
    SynapClient,
    SynapError,
)


def sync(client: SynapClient) -> None:
    assert_type(client.kv.set("k", "v", ttl=60, nx=True, timeout=1.5), bool)
    assert_type(client.kv.get("k"), Union[str, bytes, None])
    assert_type(client.kv.get_bytes("k"), Optional[bytes])
    assert_type(client.kv.incr("n"), int)
    assert_type(client.kv.ttl("k"), Optional[int])
    assert_type(client.kv.mget(["a", "b"]), List[Union[str, bytes, None]])
    client.kv.mset([("a", "1"), ("b", b"2")])
    client.kv.mset({"a": "1", "b": "2"})
    numbers: Dict[str, List[int]] = {"a": [1, 2]}
    client.kv.set_json("k", numbers)
    assert_type(client.queue.consume("q", "w"), Optional[QueueMessage])
    message = client.queue.consume("q", "w")
    if message is not None:
        assert_type(message.payload, bytes)
        client.queue.ack("q", message.message_id)
        message.payload = b""  # type: ignore[misc]  # records are frozen
    assert_type(client.stream.consume("r", "me", from_offset=0, limit=10), List[StreamEvent])
    assert_type(client.pubsub.subscribe(["t"]), Subscription[PubSubMessage])
    for item in client.pubsub.subscribe(["t"]):
        assert_type(item, PubSubMessage)
        assert_type(item.metadata, Dict[str, str])
    with client.stream.follow("r", "me") as events:
        assert_type(events.next(timeout=1).offset, int)
    with client.batch() as batch:
        value = batch.kv.get("k")
        assert_type(value, BatchResult[Union[str, bytes, None]])
        assert_type(batch.queue.consume("q", "w"), BatchResult[Optional[QueueMessage]])
    assert_type(value.result(), Union[str, bytes, None])
    assert_type(client.command("kv.get", {"key": "k"}), Any)
    client.kv.get(1)  # type: ignore[arg-type]
    client.kv.set("k", 1)  # type: ignore[arg-type]
    client.queue.publish("q", "text")  # type: ignore[arg-type]
    client.kv.set("k", "v", colour="red")  # type: ignore[call-arg]
    try:
        client.kv.get("k")
    except SynapError as e:
        assert_type(e.status_code, Optional[int])
        assert_type(e.code, str)


async def asynchronous(client: AsyncSynapClient) -> None:
    assert_type(await client.kv.set("k", "v"), bool)
    assert_type(await client.kv.get("k"), Union[str, bytes, None])
    assert_type(client.pubsub.subscribe(["t"]), AsyncSubscription[PubSubMessage])
    async for item in client.pubsub.subscribe(["t"]):
        assert_type(item.topic, str)
    async with client.queue.follow("q", "w") as messages:
        assert_type(await messages.next(timeout=1), QueueMessage)
    async with client.batch() as batch:
        batch.kv.incr("n")
    await client.close()


async def guide() -> None:
    client = SynapClient("memory://")
    async for message in client.pubsub.subscribe(["notifications.email"]):
        assert_type(message, PubSubMessage)
