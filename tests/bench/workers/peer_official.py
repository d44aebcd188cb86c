"""The benchmark worker of the official SDK, synap-sdk 1.4.0, as it comes.

Its client is for asyncio only; in flight are tasks of one event loop. Allowing
its httpx pool more resting connections than its default of 20 makes it slower. On
SynapRPC and RESP3 it has one connection; on RESP3 one request at a time is on it.
"""

import asyncio

from common import QUEUE, TEXT, arguments, expect, key, measure
from synap_sdk import SynapClient, SynapConfig


async def operation(client, op, in_flight):
    kv, queue = client.kv, client.queue
    keys = [key(slot) for slot in range(in_flight)]

    async def get(slot):
        expect(await kv.get(keys[slot]), TEXT)

    async def set_(slot):
        await kv.set(keys[slot], TEXT)

    async def work(slot):
        await queue.publish(QUEUE, TEXT)
        message = await queue.consume(QUEUE, keys[slot])
        expect(message.payload, TEXT)
        await queue.ack(QUEUE, message.id)

    for name in keys:
        await kv.set(name, TEXT)
    await queue.create_queue(QUEUE)
    return {"get": get, "set": set_, "queue": work}[op]


async def main():
    address, op, in_flight, seconds = arguments()
    async with SynapClient(SynapConfig(address)) as client:
        do = await operation(client, op, in_flight)
        await measure(do, in_flight, seconds / 5)  # warms up
        (await measure(do, in_flight, seconds)).report(1)


asyncio.run(main())
