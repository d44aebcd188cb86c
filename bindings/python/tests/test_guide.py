"""Every Python line of the user guide is run as it stands there.

The harness gives what the guide takes for granted: a server on localhost:15500
(if that port is taken, the address in the snippets is replaced), the client of
the quick start, and a function ``process``. "Or reject" is an alternative to the
acknowledgement before it, so the two run on a message each.
"""

import pathlib
import re
import threading

import pytest

from synap_sdk import QueueMessage, QueueStats, StreamStats, SynapClient, SynapConnectionError, SynapError
from synap_sdk.testing import TestServer

GUIDE = (pathlib.Path(__file__).parent / "guide" / "guide.md").read_text(encoding="utf-8")
ADDRESS = "localhost:15500"


def snippets():
    """Returns {"Section/Subsection": code} of all Python snippets."""
    out, section, subsection = {}, "", ""
    for head, code in re.findall(r"^(##+ [^\n]*)$|^```python\n(.*?)^```$", GUIDE, flags=re.M | re.S):
        if head.startswith("## "):
            section, subsection = head[3:], ""
        elif head:
            subsection = "/" + head[4:]
        else:
            assert section + subsection not in out
            out[section + subsection] = code
    return out


SNIPPETS = snippets()
RUN = set()


class World:
    """Where the guide's snippets run: a server and the names they have defined."""

    def __init__(self, **auth):
        try:
            self.server = TestServer("127.0.0.1:15500", **auth)
        except SynapError:  # the port is taken
            self.server = TestServer(**auth)
        self.printed = []
        self.names = {"print": self.printed.append}

    def run(self, heading, code=None):
        RUN.add(heading)
        code = SNIPPETS[heading] if code is None else code
        here = self.server.url.partition("://")[2]
        if not here.endswith(":15500"):
            code = code.replace(ADDRESS, here)
        exec(compile(code, f"guide.md: {heading}", "exec"), self.names)
        return self.names


@pytest.fixture
def empty_world():
    w = World()
    yield w
    w.server.close()


@pytest.fixture
def world(empty_world):
    names = empty_world.run("Quick Start")
    yield empty_world
    names["client"].close()


def test_quick_start(world):
    assert world.names["value"] == "John Doe"
    assert world.names["client"].kv.get("user:1") is None
    message = world.names["message"]
    assert type(message) is QueueMessage and message.payload == b"Hello" and message.priority == 5
    assert world.names["client"].queue.stats("jobs").acked == 1


@pytest.mark.parametrize("way", ["API Key", "Basic Auth"])
def test_authentication(way):
    world = World(user="admin", password="password", api_key="sk_live_abc123...")
    try:
        world.names["SynapClient"] = SynapClient
        with world.run("Authentication/" + way)["client"] as client:
            client.kv.set("k", "v")
            assert client.kv.get("k") == "v"
            assert "sk_live" not in repr(client) and "password" not in repr(client)
        with SynapClient(world.server.url) as stranger:
            with pytest.raises(SynapError) as e:
                stranger.kv.get("k")
            assert e.value.code == "Unauthenticated" and e.value.status_code == 401
    finally:
        world.server.close()


def test_key_value_store(world):
    world.run("Key-Value Store/Basic Operations")
    assert world.names["value"] == "value" and world.names["exists"] is False
    world.run("Key-Value Store/Batch Operations")
    assert world.names["values"] == ["value1", "value2", "value3"]
    world.run("Key-Value Store/Atomic Operations")
    assert world.names["value"] == 1 + 5 - 1 - 3


def test_message_queues(world):
    world.run("Message Queues/Queue Management")
    assert world.names["queues"] == ["jobs"]
    assert type(world.names["stats"]) is QueueStats and world.names["stats"].acked == 1
    world.run("Message Queues/Publishing")
    client, processed = world.names["client"], []
    world.names["process"] = processed.append
    accept, reject = SNIPPETS["Message Queues/Consuming"].split("# Or reject\n")
    world.run("Message Queues/Consuming", accept)
    world.names["message"] = client.queue.consume("jobs", "worker-1")
    world.run("Message Queues/Consuming", reject)
    assert processed == [b"Hello"]
    stats = client.queue.stats("jobs")
    assert (stats.acked, stats.nacked, stats.depth) == (2, 1, 1)


def test_event_streams(world):
    world.run("Event Streams/Stream Management")
    assert world.names["streams"] == ["notifications"]
    assert type(world.names["stats"]) is StreamStats
    world.run("Event Streams/Publishing Events")
    world.run("Event Streams/Consuming Events")
    assert world.printed == ["Event: user.signup, Data: New user registered"]


class Enough(Exception):
    """Ends a loop that the guide lets run for ever."""


def test_pub_sub(world):
    world.run("Pub/Sub/Publishing")
    done = threading.Event()

    def keep_publishing():
        while not done.wait(0.05):
            world.run("Pub/Sub/Publishing")

    def show(line):
        world.printed.append(line)
        raise Enough

    world.names["print"] = show
    publisher = threading.Thread(target=keep_publishing)
    publisher.start()
    try:
        with pytest.raises(Enough):
            world.run("Pub/Sub/Subscribing")
    finally:
        done.set()
        publisher.join()
    assert world.printed == ["Topic: notifications.email, Message: New order received"]


def test_error_handling(world):
    world.names["client"].kv.set("key", "value")
    world.run("Error Handling")
    assert world.names["value"] == "value" and world.printed == []
    world.names["client"].close()
    world.run("Error Handling")
    assert world.printed == ["Error: the client is closed, Code: None"]


def test_error_handling_without_a_server(world):
    world.server.close()
    world.run("Error Handling")
    (line,) = world.printed
    assert line.startswith("Error: ") and line.endswith(", Code: None")
    with pytest.raises(SynapConnectionError):
        world.names["client"].kv.get("key")


def test_async_support(empty_world):
    empty_world.run("Async Support")
    assert empty_world.printed == ["value"]


def test_no_snippet_was_left_out():
    if len(RUN) > 1:  # all tests of this file have run, not just this one
        assert RUN == set(SNIPPETS)
