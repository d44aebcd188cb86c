"""The benchmark worker of AsyncSynapClient. In flight are tasks of one event loop."""

import asyncio

from common import BATCH, QUEUE, TEXT, arguments, expect, key, measure
from synap_sdk import AsyncSynapClient


async def operation(client, op, in_flight):
    kv, queue = client.kv, client.queue
    keys = [key(slot) for slot in range(in_flight)]
    payload = TEXT.encode()

    async def get(slot):
        expect(await kv.get(keys[slot]), TEXT)

    async def set_(slot):
        await kv.set(keys[slot], TEXT)

    async def work(slot):
        await queue.publish(QUEUE, payload)
        message = await queue.consume(QUEUE, keys[slot])
        expect(message.payload, payload)
        await queue.ack(QUEUE, message.message_id)

    async def batch(slot):
        async with client.batch() as commands:
            for _ in range(BATCH):
                commands.kv.set(keys[slot], TEXT)
        expect(len(commands.results), BATCH)

    for name in keys:
        await kv.set(name, TEXT)
    await queue.create(QUEUE)
    return {"get": get, "set": set_, "queue": work, "batch": batch}[op]


async def main():
    address, op, in_flight, seconds = arguments()
    async with AsyncSynapClient(address) as client:
        do = await operation(client, op, in_flight)
        await measure(do, in_flight, seconds / 5)  # warms up
        (await measure(do, in_flight, seconds)).report(BATCH if op == "batch" else 1)


asyncio.run(main())
