"""The benchmark worker of SynapClient. In flight are threads, which share it."""

from common import BATCH, QUEUE, TEXT, arguments, expect, key, measure_threads
from synap_sdk import SynapClient


def operation(client, op, in_flight):
    kv, queue = client.kv, client.queue
    keys = [key(slot) for slot in range(in_flight)]
    payload = TEXT.encode()

    def get(slot):
        expect(kv.get(keys[slot]), TEXT)

    def set_(slot):
        kv.set(keys[slot], TEXT)

    def work(slot):
        queue.publish(QUEUE, payload)
        message = queue.consume(QUEUE, keys[slot])
        expect(message.payload, payload)
        queue.ack(QUEUE, message.message_id)

    def batch(slot):
        with client.batch() as commands:
            for _ in range(BATCH):
                commands.kv.set(keys[slot], TEXT)
        expect(len(commands.results), BATCH)

    for name in keys:
        kv.set(name, TEXT)
    queue.create(QUEUE)
    return {"get": get, "set": set_, "queue": work, "batch": batch}[op]


def main():
    address, op, in_flight, seconds = arguments()
    with SynapClient(address) as client:
        do = operation(client, op, in_flight)
        measure_threads(do, in_flight, seconds / 5)  # warms up
        measure_threads(do, in_flight, seconds).report(BATCH if op == "batch" else 1)


main()
