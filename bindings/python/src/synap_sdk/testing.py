"""A Synap server for tests, inside this process, on a real socket.

    with TestServer() as server:
        client = SynapClient(server.url)

It keeps everything in memory and is not a server to run.
"""

from __future__ import annotations

import weakref
from ctypes import c_uint64
from types import TracebackType
from typing import Dict, Optional, Type, Union

from . import _codec
from ._native import Library, Slot, library


class TestServer:
    """A running test server.

    Args:
        http: Where it listens. Port 0 is any free one.
        rpc: Where it listens for SynapRPC; not at all if absent.
        resp3: Where it listens for RESP3; not at all if absent.
        stock: True refuses WebSockets, as stock Synap 1.3.1 does.
        user: Name of the user that may log in; with password.
        password: See user.
        api_key: An API key that is accepted.

    Attributes:
        url: The server's address.
        rpc_url: Its address on SynapRPC, "" if it is off.
        resp3_url: Its address on RESP3, "" if it is off.
    """

    __test__ = False  # pytest: this is no test

    def __init__(
        self,
        http: str = "127.0.0.1:0",
        *,
        rpc: Optional[str] = None,
        resp3: Optional[str] = None,
        stock: bool = False,
        user: Optional[str] = None,
        password: Optional[str] = None,
        api_key: Optional[str] = None,
    ) -> None:
        given = {"http": http, "rpc": rpc, "resp3": resp3, "stock": stock, "user": user, "password": password, "api_key": api_key}
        options: Dict[str, Union[str, bool]] = {name: value for name, value in given.items() if value is not None}
        packed = _codec.pack_json(options, "options")
        lib, slot = library(), Slot()
        if lib.testserver_start(packed, len(packed), slot.call_ref, slot.buf_ref, slot.err_ref):
            raise lib.take_error(slot)
        info = _codec.unpack(lib.take_buf(slot))
        self.url: str = info["http"]
        self.rpc_url: str = info.get("rpc", "")
        self.resp3_url: str = info.get("resp3", "")
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
