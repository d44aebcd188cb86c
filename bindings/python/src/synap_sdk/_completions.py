"""Completions of asynchronous calls, delivered to one asyncio event loop.

The library signals them by a file descriptor that the loop watches; one poll
then hands over all that are there. No thread and no task is made for a call.
"""

from __future__ import annotations

import asyncio
import copy
import os
import weakref
from ctypes import byref, c_int32, c_int64, c_size_t, c_uint64
from typing import Any, Callable, Dict, Optional

from ._codec import unpack
from ._error import SynapError
from ._generated.errors import ClosedError, UnsupportedError
from ._native import Library, Slot, error_of

Keep = Callable[[Any], None]

_BATCH = c_size_t(1024)
_AT_ONCE = c_int64(0)


def closed_in_flight() -> ClosedError:
    """Returns the error of a call that was in flight when the client was closed."""
    return ClosedError("the client is closed", maybe_applied=True)


class Completions:
    """What one event loop waits for of one client. Used on the loop's thread only."""

    def __init__(self, lib: Library, handle: c_uint64, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._lib = lib
        self._handle = handle
        self._slot = Slot()
        self._pending: Dict[int, "asyncio.Future[Any]"] = {}
        # What to do with replies that come after their caller has gone, and replies
        # that came while it was going.
        self._kept: Dict[int, Keep] = {}
        self._late: Dict[int, Any] = {}
        self._ended: Optional[SynapError] = None
        fd = c_int32()
        if lib.completion_fd(handle, byref(fd), self._slot.err_ref):
            raise lib.take_error(self._slot)
        # Of our own descriptor we know that it stays open, and its number ours,
        # as long as the loop watches it, whoever closes the client when.
        self._fd = os.dup(fd.value)
        self.release = weakref.finalize(self, _release, loop, self._fd)
        try:
            loop.add_reader(self._fd, _drain, weakref.ref(self))
        except NotImplementedError:
            self.release()
            raise UnsupportedError("this event loop has no add_reader; use asyncio's SelectorEventLoop") from None

    def submit(self, frame: bytes, ms: c_int64, tag: int) -> "asyncio.Future[Any]":
        """Starts a request and returns the future of its reply."""
        if self._ended is not None:
            raise type(self._ended)(self._ended.message)  # this one is not applied
        future: "asyncio.Future[Any]" = self.loop.create_future()
        self._pending[tag] = future
        if self._lib.submit(self._handle, frame, len(frame), ms, tag, self._slot.err_ref):
            del self._pending[tag]
            raise self._lib.take_error(self._slot)
        return future

    def forget(self, tag: int, future: "asyncio.Future[Any]", keep: Optional[Keep], cancel: bool) -> None:
        """Drops a request whose caller was cancelled."""
        if self._pending.pop(tag, None) is not None:
            if keep is not None:
                self._kept[tag] = keep
            if cancel and self._lib.cancel(self._handle, tag, self._slot.err_ref):
                self._lib.take_error(self._slot)
        elif future.cancelled():
            reply = self._late.pop(tag, None)
            if keep is not None and reply is not None:
                keep(reply)
        elif future.exception() is None and keep is not None:
            keep(future.result())

    def drain(self) -> None:
        """Delivers the completions that are there."""
        if self._lib.poll(self._handle, _BATCH, _AT_ONCE, self._slot.buf_ref, self._slot.err_ref):
            error = self._lib.take_error(self._slot)
            self.close(closed_in_flight() if isinstance(error, ClosedError) else error)
            return
        pending = self._pending
        for completion in unpack(self._lib.take_buf(self._slot)):
            future = pending.pop(completion[0], None)
            if future is None:
                keep = self._kept.pop(completion[0], None)
                if keep is not None and len(completion) == 2:
                    keep(completion[1])
            elif future.done():  # cancelled; its task will come to forget it
                if len(completion) == 2:
                    self._late[completion[0]] = completion[1]
            elif len(completion) == 2:
                future.set_result(completion[1])
            else:
                future.set_exception(error_of(completion[2]))

    def drain_here(self) -> None:
        """Delivers the completions that are there, if called on the loop's thread."""
        if _runs_here(self.loop):
            self.drain()

    def close(self, error: SynapError) -> None:
        """Fails what is still waited for. May be called on any thread."""
        if _runs_here(self.loop):
            self._close(error)
            return
        try:
            self.loop.call_soon_threadsafe(self._close, error)
        except RuntimeError:  # the loop is closed, and with it all who waited
            self.release()

    def _close(self, error: SynapError) -> None:
        self._ended = error
        self.release()
        pending, self._pending = self._pending, {}
        for future in pending.values():
            if not future.done():
                future.set_exception(copy.copy(error))


def _drain(completions: "weakref.ref[Completions]") -> None:
    target = completions()
    if target is not None:
        target.drain()


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _release(loop: asyncio.AbstractEventLoop, fd: int) -> None:
    """Ends the loop's watch of fd, on the loop's thread, and closes it."""

    def end() -> None:
        loop.remove_reader(fd)
        os.close(fd)

    if _runs_here(loop):
        end()
        return
    try:
        loop.call_soon_threadsafe(end)
    except RuntimeError:  # the loop is closed and watches nothing any more
        os.close(fd)
