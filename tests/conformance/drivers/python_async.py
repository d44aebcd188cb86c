"""The conformance driver of the asyncio Python client."""

import asyncio

from frames import answer, failure, requests
from synap_sdk import AsyncSynapClient, SynapError


async def main():
    client = None
    for request in requests():  # one at a time: the loop has nothing else to do meanwhile
        try:
            if request[0] == "open":
                if client:
                    await client.close()
                client = AsyncSynapClient(request[1])
                answer([None])
            else:
                answer([await client.command(request[1], request[2])])
        except SynapError as e:
            answer(failure(e))
    if client:
        await client.close()


asyncio.run(main())
