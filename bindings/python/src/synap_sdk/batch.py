"""Batches: many commands in as few round trips as the wire allows."""

from __future__ import annotations

from types import TracebackType
from typing import Any, List, Optional, Tuple, Type, TypeVar

from ._batch import BatchResult, Make
from ._channel import Channel
from ._codec import array_header, pack_json, pack_text
from ._generated.families import BatchFamilies
from ._native import error_of

B = TypeVar("B", bound="_Base")


class _Base(BatchFamilies):
    def __init__(self, channel: Channel, raise_on_error: bool, timeout: Optional[float]) -> None:
        super().__init__(self._add)
        self._channel = channel
        self._raise_on_error = raise_on_error
        self._timeout = timeout
        self._queued: List[Tuple[bytes, BatchResult[Any]]] = []
        #: The results of the last run, in order of the calls: a value each, or
        #: the SynapError with which the call failed.
        self.results: List[Any] = []

    def _add(self, frame: bytes, make: Optional[Make] = None) -> BatchResult[Any]:
        result: BatchResult[Any] = BatchResult(make)
        self._queued.append((frame, result))
        return result

    def command(self, name: str, payload: Any = None) -> BatchResult[Any]:
        """Queues a command by its name on the server, as SynapClient.command."""
        return self._add(raw(name, payload))

    def __len__(self) -> int:
        return len(self._queued)

    def _take(self) -> Tuple[bytes, List[BatchResult[Any]]]:
        queued, self._queued = self._queued, []
        frame = b"\x92\x02" + array_header(len(queued)) + b"".join([frame for frame, _ in queued])
        return frame, [result for _, result in queued]

    def _settle(self, results: List[BatchResult[Any]], outcomes: List[List[Any]]) -> List[Any]:
        self.results = []
        failed = None
        for result, outcome in zip(results, outcomes):
            error = error_of(outcome[1]) if len(outcome) > 1 else None
            result._settle(outcome[0], error)
            failed = failed or error
            self.results.append(result._value if error is None else error)
        if failed is not None and self._raise_on_error:
            raise failed
        return self.results


def raw(name: str, payload: Any) -> bytes:
    """Returns the frame of a raw command."""
    return b"\x93\x01" + pack_text(name, "name") + pack_json(payload, "payload")


class Batch(_Base):
    """Commands that run together when the ``with`` block ends, in order::

        with client.batch() as batch:
            batch.kv.set("a", "1")
            value = batch.kv.get("a")
        value.result()   # "1"
        batch.results    # [True, "1"]

    They are no transaction: other clients' commands may come in between, and a
    command that fails does not undo or stop the others. If one failed, the first
    error is raised after all have run, unless raise_on_error is False; results
    are there either way. A block left by an exception runs nothing.
    """

    def execute(self) -> List[Any]:
        """Runs what is queued now and returns the results."""
        if not self._queued:
            return []
        frame, results = self._take()
        return self._settle(results, self._channel.call(frame, self._timeout))

    def __enter__(self: B) -> B:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if kind is None:
            self.execute()


class AsyncBatch(_Base):
    """Commands that run together when the ``async with`` block ends, as Batch."""

    async def execute(self) -> List[Any]:
        """Runs what is queued now and returns the results."""
        if not self._queued:
            return []
        frame, results = self._take()
        return self._settle(results, await self._channel.acall(frame, self._timeout))

    async def __aenter__(self: B) -> B:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if kind is None:
            await self.execute()


__all__ = ["AsyncBatch", "Batch"]
