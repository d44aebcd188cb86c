"""The benchmark worker of redis-py's client for asyncio, on RESP3. In flight are
tasks of one event loop, which share a client; it opens a connection for each."""

import asyncio

import redis.asyncio as redis
from common import TEXT, arguments, expect, key, measure


async def main():
    address, op, in_flight, seconds = arguments()
    client = redis.Redis.from_url(address.replace("resp3:", "redis:"), protocol=3, decode_responses=True)
    keys = [key(slot) for slot in range(in_flight)]

    async def get(slot):
        expect(await client.get(keys[slot]), TEXT)

    async def set_(slot):
        expect(await client.set(keys[slot], TEXT), True)

    for name in keys:
        await client.set(name, TEXT)
    do = {"get": get, "set": set_}[op]
    await measure(do, in_flight, seconds / 5)  # warms up
    (await measure(do, in_flight, seconds)).report(1)
    await client.aclose()


asyncio.run(main())
