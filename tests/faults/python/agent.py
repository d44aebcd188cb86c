"""The agents of the Python clients: agent.py sync|async. See tests/faults/sockets/agent.go."""

import asyncio
import sys
import threading
from typing import Any, List

from synap_sdk import AsyncSynapClient, SynapClient, SynapError

printing = threading.Lock()


def answer(number: str, text: str) -> None:
    with printing:
        print(number, text, flush=True)


def failure(e: Exception) -> str:
    if isinstance(e, SynapError):
        return f"error {e.code} {str(e.maybe_applied).lower()} {e.message}"
    return f"error untyped false {e!r}"


def text_of(value: Any) -> str:
    return "nothing" if value is None else str(value)


def item_of(item: Any) -> str:
    return f"{getattr(item, 'message', None) or getattr(item, 'data', None)} {item.lost}"


class Sync:
    """Every request in a thread of its own."""

    client: SynapClient
    items: Any

    def run(self, op: str, what: str = "", timeout: str = "0") -> str:
        seconds = int(timeout) / 1000
        if op == "open":
            self.client = SynapClient(what)
        elif op == "close":
            self.client.close()
        elif op == "get":
            return text_of(self.client.kv.get(what, timeout=seconds))
        elif op == "incr":
            return text_of(self.client.kv.incr(what, timeout=seconds))
        elif op == "subscribe":
            self.items = self.client.pubsub.subscribe([what], timeout=seconds)
        elif op == "follow":
            self.items = self.client.stream.follow(what, "agent", timeout=seconds)
        else:
            return item_of(self.items.next(timeout=seconds))
        return ""

    def answer(self, number: str, words: List[str]) -> None:
        try:
            answer(number, "ok " + self.run(*words))
        except Exception as e:
            answer(number, failure(e))

    def main(self) -> None:
        for line in sys.stdin:
            number, *words = line.split()
            if words[0] in ("open", "close"):
                self.answer(number, words)
            else:
                threading.Thread(target=self.answer, args=(number, words), daemon=True).start()


class Async:
    """Every request in a task of its own."""

    client: AsyncSynapClient
    items: Any

    async def run(self, op: str, what: str = "", timeout: str = "0") -> str:
        seconds = int(timeout) / 1000
        if op == "open":
            self.client = AsyncSynapClient(what)
        elif op == "close":
            await self.client.close()
        elif op == "get":
            return text_of(await self.client.kv.get(what, timeout=seconds))
        elif op == "incr":
            return text_of(await self.client.kv.incr(what, timeout=seconds))
        elif op == "subscribe":
            self.items = await self.client.pubsub.subscribe([what], timeout=seconds)
        elif op == "follow":
            self.items = await self.client.stream.follow(what, "agent", timeout=seconds)
        else:
            return item_of(await self.items.next(timeout=seconds))
        return ""

    async def answer(self, number: str, words: List[str]) -> None:
        try:
            answer(number, "ok " + await self.run(*words))
        except Exception as e:
            answer(number, failure(e))

    async def main(self) -> None:
        loop = asyncio.get_running_loop()
        tasks = set()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            number, *words = line.split()
            task = asyncio.ensure_future(self.answer(number, words))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            if words[0] in ("open", "close"):
                await task


if __name__ == "__main__":
    if sys.argv[1:] == ["async"]:
        asyncio.run(Async().main())
    else:
        Sync().main()
