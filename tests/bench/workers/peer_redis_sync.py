"""The benchmark worker of redis-py on RESP3. In flight are threads, which share a
client; it opens a connection for each."""

import redis
from common import TEXT, arguments, expect, key, measure_threads


def main():
    address, op, in_flight, seconds = arguments()
    client = redis.Redis.from_url(address.replace("resp3:", "redis:"), protocol=3, decode_responses=True)
    keys = [key(slot) for slot in range(in_flight)]

    def get(slot):
        expect(client.get(keys[slot]), TEXT)

    def set_(slot):
        expect(client.set(keys[slot], TEXT), True)

    for name in keys:
        client.set(name, TEXT)
    do = {"get": get, "set": set_}[op]
    measure_threads(do, in_flight, seconds / 5)  # warms up
    measure_threads(do, in_flight, seconds).report(1)
    client.close()


main()
