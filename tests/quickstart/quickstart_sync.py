"""The guide's quick start with SynapClient: python quickstart_sync.py ADDRESS.

Says nothing when all is well; exits with 1 otherwise.
"""

import sys

from synap_sdk import SynapClient


def main(address: str) -> None:
    with SynapClient(address) as client:
        # Key-value operations
        client.kv.set("user:1", "John Doe", ttl=3600)
        assert client.kv.get("user:1") == "John Doe"
        assert client.kv.delete("user:1") is True

        # Queue operations
        client.queue.create("jobs", max_depth=1000)
        client.queue.publish("jobs", b"Hello", priority=5)
        message = client.queue.consume("jobs", "worker-1")
        assert message is not None and message.payload == b"Hello"
        client.queue.ack("jobs", message.message_id)

        # Event streams
        client.stream.get_or_create("notifications")
        offset = client.stream.publish("notifications", "user.signup", "New user registered")
        events = client.stream.consume("notifications", "user-1", from_offset=offset, limit=10)
        assert [(e.event, e.data) for e in events] == [("user.signup", "New user registered")]

        # Pub/sub
        with client.pubsub.subscribe(["notifications.*"]) as messages:
            client.pubsub.publish("notifications.email", "New order received")
            received = messages.next(timeout=5)
        assert (received.topic, received.message) == ("notifications.email", "New order received")


if __name__ == "__main__":
    main(sys.argv[1])
