"""Subscriptions: iterators over what the server pushes."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from types import TracebackType
from typing import Any, Callable, Deque, Generic, List, Optional, Type, TypeVar

from ._channel import Channel
from ._codec import pack_int
from ._generated.errors import ClosedError, ForkError, InvalidArgumentError, SynapTimeoutError

T = TypeVar("T")
S = TypeVar("S", bound="_Base[Any]")

# Items fetched by one crossing of the boundary, and how long one such call waits
# before it is made again.
_BATCH = 256
_PATIENCE = 3600.0


class _Base(Generic[T]):
    """What the subscriptions of both clients share."""

    def __init__(
        self,
        channel: Channel,
        frame: bytes,
        make: Callable[[List[Any]], T],
        name: str,
        timeout: Optional[float],
    ) -> None:
        self._channel = channel
        self._frame = frame
        self._make = make
        self._name = name
        self._timeout = timeout
        self._id = 0  # 0: not registered yet
        self._next_frame = b""
        self._ready: Deque[T] = deque()
        self._closed = False

    # --- registering --------------------------------------------------------

    def _register(self) -> None:
        if self._id == 0:
            self._adopt(self._channel.call(self._frame, self._timeout, self._adopt))

    async def _aregister(self) -> None:
        if self._id == 0:
            # Not cancelled with its task: nobody else would know the id to end it by.
            self._adopt(await self._channel.acall(self._frame, self._timeout, self._adopt, cancel=False))

    def _adopt(self, subscription: int) -> None:
        if self._closed or self._id != 0:  # nobody wants this one any more
            self._channel.quietly(_unsubscribe(subscription))
            return
        self._id = subscription
        self._next_frame = b"\x93\x04" + pack_int(subscription, "subscription") + pack_int(_BATCH, "max")

    # --- fetching -----------------------------------------------------------

    def _keep(self, items: List[List[Any]]) -> None:
        self._ready.extend(map(self._make, items))

    def _fetch(self, patience: float) -> None:
        self._check()
        self._register()
        self._keep(self._channel.call(self._next_frame, patience, self._keep))

    async def _afetch(self, patience: float) -> None:
        self._check()
        await self._aregister()
        self._keep(await self._channel.acall(self._next_frame, patience, self._keep))

    def _check(self) -> None:
        if self._closed:
            raise ClosedError("the subscription is closed", command=self._name)

    def _patience(self, deadline: Optional[float]) -> float:
        """Returns how long the next fetch may wait."""
        if deadline is None:
            return _PATIENCE
        return min(max(deadline - time.monotonic(), 0.001), _PATIENCE)

    def _expired(self, deadline: Optional[float]) -> None:
        if deadline is not None and time.monotonic() >= deadline:
            raise SynapTimeoutError("nothing came in time", retryable=True, command=self._name)

    # --- iterating ----------------------------------------------------------

    def __iter__(self: S) -> S:
        return self

    def __next__(self) -> T:
        while True:
            try:
                return self._ready.popleft()
            except IndexError:
                pass
            try:
                self._fetch(_PATIENCE)
            except ClosedError:
                raise StopIteration from None

    def __aiter__(self: S) -> S:
        return self

    async def __anext__(self) -> T:
        while True:
            try:
                return self._ready.popleft()
            except IndexError:
                pass
            try:
                await self._afetch(_PATIENCE)
            except ClosedError:
                raise StopAsyncIteration from None

    # --- closing ------------------------------------------------------------

    def _end(self) -> int:
        """Marks it closed and returns the id to unsubscribe, 0 if there is none."""
        was_open, self._closed = not self._closed, True
        self._ready.clear()
        return self._id if was_open and not self._channel.closed else 0

    def _close(self) -> None:
        subscription = self._end()
        if subscription:
            try:
                self._channel.call(_unsubscribe(subscription))
            except (ClosedError, ForkError):
                pass

    async def _aclose(self) -> None:
        subscription = self._end()
        if subscription:
            try:
                await self._channel.acall(_unsubscribe(subscription))
            except (ClosedError, ForkError):
                pass

    def __enter__(self: S) -> S:
        self._check()
        self._register()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self._close()

    async def __aenter__(self: S) -> S:
        self._check()
        await self._aregister()
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self._aclose()

    def __del__(self) -> None:
        # A loop left by break drops its subscription: the server is told without
        # waiting. At exit the modules may be gone.
        try:
            subscription = self._end()
            if subscription:
                self._channel.quietly(_unsubscribe(subscription))
        except Exception:
            pass

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open" if self._id else "not registered yet"
        return f"<{type(self).__name__} {self._name}, {state}>"


def _deadline(timeout: Optional[float]) -> Optional[float]:
    if timeout is None:
        return None
    if not isinstance(timeout, (int, float)) or isinstance(timeout, bool) or not timeout >= 0:
        raise InvalidArgumentError("timeout must be a number of seconds, 0 or more")
    return time.monotonic() + timeout


def _unsubscribe(subscription: int) -> bytes:
    return b"\x92\x05" + pack_int(subscription, "subscription")


class Subscription(_Base[T]):
    """A subscription of SynapClient: an iterator, for ``for`` and ``async for``.

    It is registered with the server when the method that made it returns, so that
    nothing that is sent afterwards is missed. Inside a running event loop, where
    that wait would stop all other tasks, it is registered by the first step of
    ``async for`` or on entering ``async with`` instead (``with`` and ``for`` work
    there too, and block).

    Iteration ends when the subscription or its client is closed. One thread or
    task reads at a time. A subscription that nothing refers to closes itself.
    """

    def __init__(
        self,
        channel: Channel,
        frame: bytes,
        make: Callable[[List[Any]], T],
        name: str,
        timeout: Optional[float],
    ) -> None:
        super().__init__(channel, frame, make, name, timeout)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._register()

    def next(self, timeout: Optional[float] = None) -> T:
        """Returns the next item, waiting for it at most timeout seconds.

        Raises:
            SynapTimeoutError: Nothing came in time; the subscription lives on.
            ClosedError: The subscription or its client is closed.
        """
        deadline = _deadline(timeout)
        while not self._ready:
            self._fetch(self._patience(deadline))
            if not self._ready:
                self._expired(deadline)
        return self._ready.popleft()

    def close(self) -> None:
        """Ends the subscription. Closing twice is harmless."""
        self._close()


class AsyncSubscription(_Base[T]):
    """A subscription of AsyncSynapClient: an iterator for ``async for``.

    It is registered with the server by the first step of ``async for``, on
    entering ``async with`` or by ``await``::

        subscription = await client.pubsub.subscribe(["topic"])

    so that nothing that is sent afterwards is missed. Iteration ends when the
    subscription or its client is closed. One task reads at a time. A subscription
    that nothing refers to closes itself. (``for`` works too, and blocks the event
    loop.)
    """

    def __await__(self: S) -> Any:
        return self.__aenter__().__await__()

    async def next(self, timeout: Optional[float] = None) -> T:
        """Returns the next item, waiting for it at most timeout seconds.

        Raises:
            SynapTimeoutError: Nothing came in time; the subscription lives on.
            ClosedError: The subscription or its client is closed.
        """
        deadline = _deadline(timeout)
        while not self._ready:
            await self._afetch(self._patience(deadline))
            if not self._ready:
                self._expired(deadline)
        return self._ready.popleft()

    async def close(self) -> None:
        """Ends the subscription. Closing twice is harmless."""
        await self._aclose()
