"""One client of the library: request frames in, replies out.

Nothing here judges arguments, retries or times out: that is the library's.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import weakref
from ctypes import c_int64, c_uint64
from typing import Any, Dict, List, Optional

from . import _codec
from ._codec import unpack
from ._completions import Completions, Keep, closed_in_flight
from ._generated.errors import ClosedError, InvalidArgumentError
from ._native import PENDING, Library, Slot, library

# Waits in the library are cut into slices, between which Python can run signal
# handlers: that is what makes Ctrl-C work.
_SLICE_MS = c_int64(100)
_AT_ONCE = c_int64(0)
_DEFAULT = c_int64(0)

# Slots that no call uses now, all zero; taking and returning one is atomic.
_slots: List[Slot] = []


def milliseconds(timeout: Optional[float]) -> c_int64:
    """Turns a per-call timeout into what the library takes."""
    if timeout is None:
        return _DEFAULT
    if not isinstance(timeout, (int, float)) or isinstance(timeout, bool):
        raise InvalidArgumentError(f"timeout must be a number of seconds, not {type(timeout).__name__}")
    if not 0 < timeout <= 1e9:
        raise InvalidArgumentError("timeout must be a number of seconds above 0 and at most 1e9")
    return c_int64(math.ceil(timeout * 1000))


class Channel:
    """A client's handle, shared by its families and subscriptions.

    It closes itself when nothing refers to it any more, and at exit.
    """

    def __init__(self, url: str, options: Dict[str, Any]) -> None:
        self._lib = lib = library()
        if not isinstance(url, str):
            raise InvalidArgumentError(f"url must be text (str), not {type(url).__name__}")
        _codec.pack_text(url, "url")  # refuses lone surrogates
        address = url.encode()
        given = {name: value for name, value in options.items() if value is not None}
        packed = _codec.pack_json(given, "options")
        slot = Slot()
        if lib.open(address, len(address), packed, len(packed), slot.call_ref, slot.err_ref):
            raise lib.take_error(slot)
        self._handle = c_uint64(slot.call.value)
        self._start = lib.start
        self._closed = False
        self._completions: Optional[Completions] = None
        self._tags = itertools.count(1)
        self._finalizer = weakref.finalize(self, _finalize, lib, self._handle)

    def call(self, frame: bytes, timeout: Optional[float] = None, keep: Optional[Keep] = None) -> Any:
        """Runs a request and returns its reply.

        If the wait is interrupted (Ctrl-C) the call is cancelled; a reply that came
        all the same goes to keep.
        """
        ms = _DEFAULT if timeout is None else milliseconds(timeout)
        try:
            slot = _slots.pop()
        except IndexError:
            slot = Slot()
        try:
            rc = self._start(self._handle, frame, len(frame), ms, _SLICE_MS, slot.call_ref, slot.buf_ref, slot.err_ref)
            if rc == PENDING:
                rc = self._wait(slot)
        except BaseException:
            self._abandon(slot, keep)
            raise
        if rc == 0:
            reply = self._lib.take_buf(slot)
            _slots.append(slot)
            return unpack(reply)
        error = self._lib.take_error(slot)
        _slots.append(slot)
        if self._closed and not error.transport:  # the handle was refused
            raise ClosedError("the client is closed")
        raise error

    def _wait(self, slot: Slot) -> int:
        rc = PENDING
        while rc == PENDING:
            rc = self._lib.wait(self._handle, slot.call, _SLICE_MS, slot.buf_ref, slot.err_ref)
        slot.call.value = 0
        return rc

    def _abandon(self, slot: Slot, keep: Optional[Keep]) -> None:
        """Ends a call whose caller was interrupted, between any two steps of it."""
        lib, rc = self._lib, PENDING
        if slot.call.value and not slot.buf.data and not slot.err.message:
            rc = lib.wait(self._handle, slot.call, _AT_ONCE, slot.buf_ref, slot.err_ref)
            if rc == PENDING:
                lib.cancel(self._handle, slot.call, slot.err_ref)
        if slot.err.message:
            lib.take_error(slot)
        if slot.buf.data:
            reply = lib.take_buf(slot)
            if keep is not None:
                keep(unpack(reply))

    async def acall(
        self, frame: bytes, timeout: Optional[float] = None, keep: Optional[Keep] = None, cancel: bool = True
    ) -> Any:
        """Runs a request on the running event loop and returns its reply.

        If the task is cancelled so is the call, unless cancel is False; a reply that
        comes all the same goes to keep.
        """
        completions = self._completions
        if completions is None or completions.loop is not asyncio.get_running_loop():
            if self._closed:
                raise ClosedError("the client is closed")
            completions = self._bind()
        tag = next(self._tags)
        future = completions.submit(frame, _DEFAULT if timeout is None else milliseconds(timeout), tag)
        try:
            return await future
        except asyncio.CancelledError:
            completions.forget(tag, future, keep, cancel)
            raise

    def _bind(self) -> Completions:
        """Ties the channel to the running loop, until that loop is closed."""
        loop = asyncio.get_running_loop()
        bound = self._completions
        if bound is not None and not bound.loop.is_closed():
            raise InvalidArgumentError(
                "this client is used by another event loop that is still open; make one client per event loop"
            )
        if bound is not None:
            bound.release()
        self._completions = Completions(self._lib, self._handle, loop)
        return self._completions

    def quietly(self, frame: bytes) -> None:
        """Starts a request whose outcome nobody waits for."""
        slot = Slot()
        self._start(self._handle, frame, len(frame), _DEFAULT, _AT_ONCE, slot.call_ref, slot.buf_ref, slot.err_ref)
        self._abandon(slot, None)

    @property
    def closed(self) -> bool:
        """Whether close was called."""
        return self._closed

    def close(self) -> None:
        """Closes the client; calls in flight fail with ClosedError."""
        if self._closed:
            return
        self._closed = True
        if self._completions is not None:
            self._completions.drain_here()
        self._finalizer()
        self._end_completions()

    async def aclose(self) -> None:
        """Closes the client without blocking the event loop."""
        if self._closed:
            return
        self._closed = True
        if self._completions is not None:
            self._completions.drain_here()
        await asyncio.get_running_loop().run_in_executor(None, self._finalizer)
        self._end_completions()

    def _end_completions(self) -> None:
        if self._completions is not None:
            self._completions.close(closed_in_flight())


def _finalize(lib: Library, handle: c_uint64) -> None:
    slot = Slot()
    if lib.close(handle, slot.err_ref):
        lib.take_error(slot)
