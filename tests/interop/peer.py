"""The official SDK behind a pipe: one JSON request a line, one JSON answer a line.

It decides nothing. main.go names a method of the SDK and its arguments, and gets what
the method returned or raised, so that all judgements stand in one place. Bytes travel
as {"bytes": hex} both ways.
"""

import asyncio
import dataclasses
import json
import sys

from synap_sdk import SynapClient, SynapConfig


def plain(value):
    """What the SDK returned, as JSON has it."""
    if dataclasses.is_dataclass(value):
        value = dataclasses.asdict(value)
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": value.hex()}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def given(value):
    if isinstance(value, dict) and list(value) == ["bytes"]:
        return bytes.fromhex(value["bytes"])
    return value


async def run(request, clients, feeds):
    # A case has a client of its own: what one spoils must not reach the next.
    case = request["client"]
    if case not in clients:
        clients[case] = SynapClient(SynapConfig(request["url"], timeout=5))
    family, _, name = request["call"].partition(".")
    args = [given(a) for a in request["args"]]
    if family == "next":  # the next item of an iterator that was opened before
        return await asyncio.wait_for(anext(feeds[name]), 2)
    method = getattr(getattr(clients[case], family), name)
    result = method(*args, **request.get("named", {}))
    if not hasattr(result, "__anext__"):
        return await result
    # The SDK subscribes in the first step: it is taken now, and waits for its item.
    feeds[request["as"]] = Ahead(result)
    await asyncio.sleep(0.3)


class Ahead:
    """An iterator whose next step is always under way."""

    def __init__(self, source):
        self.source = source
        self.step = asyncio.ensure_future(anext(source))

    async def aclose(self):
        self.step.cancel()
        await asyncio.gather(self.step, return_exceptions=True)
        await self.source.aclose()

    async def __anext__(self):
        item = await asyncio.shield(self.step)
        self.step = asyncio.ensure_future(anext(self.source))
        return item


async def main():
    clients, feeds = {}, {}
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        try:
            answer = {"result": plain(await run(request, clients, feeds))}
        except Exception as e:  # whatever it raises is what we want to know
            answer = {"error": type(e).__name__, "message": str(e)}
        print(json.dumps(answer), flush=True)
    for feed in feeds.values():
        await feed.aclose()
    for client in clients.values():
        await client.close()
    rest = asyncio.all_tasks() - {asyncio.current_task()}  # what the SDK started and does not wait for
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


asyncio.run(main())
