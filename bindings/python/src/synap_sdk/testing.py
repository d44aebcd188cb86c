"""A Synap server for tests, inside this process, on a real socket.

    with TestServer() as server:
        client = SynapClient(server.url)

It keeps everything in memory and is not a server to run.
"""

from __future__ import annotations

import weakref
from ctypes import c_uint64
from types import TracebackType
from typing import Dict, Optional, Type

from . import _codec
from ._native import Library, Slot, library


class TestServer:
    """A running test server.

    Args:
        http: Where it listens. Port 0 is any free one.
        user: Name of the user that may log in; with password.
        password: See user.
        api_key: An API key that is accepted.

    Attributes:
        url: The server's address.
    """

    __test__ = False  # pytest: this is no test

    def __init__(
        self,
        http: str = "127.0.0.1:0",
        *,
        user: Optional[str] = None,
        password: Optional[str] = None,
        api_key: Optional[str] = None,
    ) -> None:
        given = {"http": http, "user": user, "password": password, "api_key": api_key}
        options: Dict[str, str] = {name: value for name, value in given.items() if value is not None}
        packed = _codec.pack_json(options, "options")
        lib, slot = library(), Slot()
        if lib.testserver_start(packed, len(packed), slot.call_ref, slot.buf_ref, slot.err_ref):
            raise lib.take_error(slot)
        info = _codec.unpack(lib.take_buf(slot))
        self.url: str = info["http"]
        self._stop = weakref.finalize(self, _stop, lib, c_uint64(slot.call.value))

    def close(self) -> None:
        """Stops the server. Closing twice is harmless."""
        self._stop()

    def __enter__(self) -> "TestServer":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<TestServer {self.url}>"


def _stop(lib: Library, server: c_uint64) -> None:
    slot = Slot()
    if lib.testserver_stop(server, slot.err_ref):
        lib.take_error(slot)
