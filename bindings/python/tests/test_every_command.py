"""Every command of the table is called, in every flavour and on every transport."""

import asyncio

import pytest

from synap_sdk import (
    FollowedEvent,
    KVStats,
    PubSubMessage,
    PubSubStats,
    Published,
    QueueMessage,
    QueueStats,
    StreamEvent,
    StreamStats,
    SynapClient,
    TopicInfo,
    WatchEvent,
)
from synap_sdk._generated import _table


def is_a(record, **fields):
    """Returns a check that a result is a record with the fields."""

    def check(result):
        assert type(result) is record
        for name, value in fields.items():
            assert getattr(result, name) == value, name
        return True

    return check


def each(check, count):
    return lambda result: len(result) == count and all([check(r) for r in result])


def sorted_is(want):
    return lambda result: sorted(result) == want


def nonempty_text(result):
    return isinstance(result, str) and result != ""


def message_id(state):
    return state["queue.consume"].message_id


# (command, arguments, keyword arguments, expected result or check), in order. An
# argument that is a function gets the latest results by command.
CALLS = [
    ("kv.set", ("k", "v"), {"ttl": 100}, True),
    ("kv.set", ("k", "w"), {"nx": True}, False),
    ("kv.set", ("k", "v"), {"xx": True, "keepttl": True}, True),
    ("kv.ttl", ("k",), {}, lambda n: type(n) is int and 90 < n <= 100),
    ("kv.get", ("k",), {}, "v"),
    ("kv.get_bytes", ("k",), {}, b"v"),
    ("kv.exists", ("k",), {}, True),
    ("kv.persist", ("k",), {}, True),
    ("kv.ttl", ("k",), {}, None),
    ("kv.expire", ("k", 50), {}, True),
    ("kv.delete", ("k",), {}, True),
    ("kv.delete", ("k",), {}, False),
    ("kv.set_json", ("j", {"a": [1, None]}), {}, True),
    ("kv.get_json", ("j",), {}, {"a": [1, None]}),
    ("kv.incr", ("n",), {}, 1),
    ("kv.incrby", ("n", 5), {}, 6),
    ("kv.decr", ("n",), {}, 5),
    ("kv.decrby", ("n", 3), {}, 2),
    ("kv.mset", ([("a", "1"), ("b", "2")],), {}, None),
    ("kv.mset", ({"c": "3"},), {}, None),
    ("kv.mget", (["a", "x", "c"],), {}, ["1", None, "3"]),
    ("kv.msetnx", ([("a", "9"), ("d", "4")],), {}, False),
    ("kv.msetnx", ([("d", "4")],), {}, True),
    ("kv.mdel", (["a", "b", "x"],), {}, 2),
    ("kv.append", ("s", "Hello"), {}, 5),
    ("kv.append", ("s", " World"), {}, 11),
    ("kv.getrange", ("s", 0, 4), {}, "Hello"),
    ("kv.setrange", ("s", 6, "Redis"), {}, 11),
    ("kv.strlen", ("s",), {}, 11),
    ("kv.getset", ("s", "new"), {}, "Hello Redis"),
    ("kv.scan", (), {"prefix": "s", "limit": 10}, ["s"]),
    ("kv.keys", (), {}, sorted_is(["c", "d", "j", "n", "s"])),
    ("kv.dbsize", (), {}, lambda n: type(n) is int and n >= 0),
    ("kv.stats", (), {}, is_a(KVStats)),
    ("kv.flushdb", (), {}, lambda n: n is None or type(n) is int),
    ("kv.flushall", (), {}, lambda n: n is None or type(n) is int),
    ("kv.keys", (), {}, []),
    ("queue.create", ("q",), {"max_depth": 10, "ack_deadline_secs": 30}, None),
    ("queue.publish", ("q", b"one"), {"priority": 1}, nonempty_text),
    ("queue.publish", ("q", b"two"), {"priority": 9, "max_retries": 2}, nonempty_text),
    ("queue.consume", ("q", "w"), {}, is_a(QueueMessage, payload=b"two", priority=9, retry_count=0)),
    ("queue.ack", ("q", message_id), {}, None),
    ("queue.consume", ("q", "w"), {}, is_a(QueueMessage, payload=b"one", priority=1)),
    ("queue.nack", ("q", message_id), {}, None),
    ("queue.stats", ("q",), {}, is_a(QueueStats, depth=1, acked=1, nacked=1)),
    ("queue.list", (), {}, ["q"]),
    ("queue.purge", ("q",), {}, 1),
    ("queue.consume", ("q", "w"), {}, None),
    ("queue.delete", ("q",), {}, True),
    ("stream.create", ("r",), {"partitions": 1, "retention_hours": 24}, None),
    ("stream.get_or_create", ("r",), {}, False),
    ("stream.publish", ("r", "user.signup", {"id": 1}), {}, 0),
    ("stream.publish", ("r", "user.login", "text"), {}, 1),
    ("stream.consume", ("r", "me"), {"from_offset": 1, "limit": 10}, each(is_a(StreamEvent, offset=1, event="user.login", data="text"), 1)),
    ("stream.stats", ("r",), {}, is_a(StreamStats, name="r", message_count=2, max_offset=1)),
    ("stream.list", (), {}, ["r"]),
    ("stream.delete", ("r",), {}, None),
    ("pubsub.publish", ("t", "hello"), {"metadata": {"a": "b"}}, is_a(Published, subscribers_matched=0)),
    ("pubsub.topics", (), {}, []),
    ("pubsub.stats", (), {}, is_a(PubSubStats, messages_published=1)),
]  # fmt: skip

# (command, arguments, what to do then, check of the item)
SUBSCRIPTIONS = [
    ("pubsub.subscribe", (["t.*"],), ("pubsub.publish", ("t.a", {"n": 1})), is_a(PubSubMessage, topic="t.a", message={"n": 1}, lost=0)),
    ("kv.watch", (["w:*"],), ("kv.set", ("w:1", "x")), is_a(WatchEvent, key="w:1", event="set", value="x")),
    ("stream.follow", ("r", "me"), ("stream.publish", ("r", "e", [1])), is_a(FollowedEvent, offset=0, event="e", data=[1])),
    ("queue.follow", ("q", "w"), ("queue.publish", ("q", b"p")), is_a(QueueMessage, payload=b"p")),
]  # fmt: skip


def method(client, command):
    family, name = command.split(".")
    return getattr(getattr(client, family), name)


def judge(command, expected, result):
    if callable(expected):
        assert expected(result), f"{command} returned {result!r}"
    else:
        assert result == expected and type(result) is type(expected), f"{command} returned {result!r}"


def resolve(arguments, state):
    return [a(state) if callable(a) else a for a in arguments]


def subscriber_of(client_command):
    """Returns the steps of the two commands that need a subscriber on the server."""
    return client_command("pubsub.subscribe", {"topics": ["news"]})


def test_the_lists_name_every_command():
    # The commands of all other families are called by test_calls.py alone.
    families = ("kv.", "queue.", "stream.", "pubsub.")
    named = {c[0] for c in CALLS} | {s[0] for s in SUBSCRIPTIONS} | {"pubsub.info", "pubsub.unsubscribe"}
    assert named == {c for c in _table.COMMANDS if c.startswith(families)}


def test_sync(client):
    state = {}
    for command, arguments, options, expected in CALLS:
        state[command] = method(client, command)(*resolve(arguments, state), **options, timeout=10)
        judge(command, expected, state[command])
    subscriber = subscriber_of(client.command)["subscriber_id"]
    judge("pubsub.info", is_a(TopicInfo, topic="news", subscriber_count=1), client.pubsub.info("news"))
    judge("pubsub.unsubscribe", 1, client.pubsub.unsubscribe(subscriber))


def test_async(aclient):
    async def main():
        async with aclient() as client:
            state = {}
            for command, arguments, options, expected in CALLS:
                state[command] = await method(client, command)(*resolve(arguments, state), **options, timeout=10)
                judge(command, expected, state[command])
            subscriber = (await subscriber_of(client.command))["subscriber_id"]
            judge("pubsub.info", is_a(TopicInfo, topic="news", subscriber_count=1), await client.pubsub.info("news"))
            judge("pubsub.unsubscribe", 1, await client.pubsub.unsubscribe(subscriber))

    asyncio.run(main())


def test_batch(client):
    state, waiting = {}, []

    def run():
        batch.execute()
        for command, expected, result in waiting:
            state[command] = result.result()
            judge(command, expected, state[command])
        waiting.clear()

    batch = client.batch()
    for command, arguments, options, expected in CALLS:
        if any(callable(a) for a in arguments):
            run()
        waiting.append((command, expected, method(batch, command)(*resolve(arguments, state), **options)))
    run()
    subscriber = subscriber_of(client.command)["subscriber_id"]
    with client.batch() as batch:
        batch.pubsub.info("news")
        batch.pubsub.unsubscribe(subscriber)
    judge("pubsub.info", is_a(TopicInfo, topic="news", subscriber_count=1), batch.results[0])
    assert batch.results[1] == 1


@pytest.mark.parametrize("step", SUBSCRIPTIONS, ids=lambda s: s[0])
def test_subscriptions(client, aclient, step):
    command, arguments, (cause, cause_arguments), check = step
    client.queue.create("q")
    client.stream.create("r")
    with method(client, command)(*arguments, timeout=10) as subscription:
        result = method(client, cause)(*cause_arguments)
        item = subscription.next(timeout=10)
        judge(command, check, item)
        if command == "queue.follow":
            assert item.message_id == result
            client.queue.ack("q", item.message_id)

    async def main():
        async with aclient() as other:
            if command == "stream.follow":
                await other.stream.delete("r")
                await other.stream.create("r")
            async with method(other, command)(*arguments, timeout=10) as subscription:
                await method(other, cause)(*cause_arguments)
                judge(command, check, await subscription.next(timeout=10))

    asyncio.run(main())


def test_raw_commands_reach_what_has_no_method():
    with SynapClient("memory://") as client:
        assert client.command("kv.set", {"key": "k", "value": "v"})["success"] is True
        assert client.command("kv.get", {"key": "k"}) == "v"
