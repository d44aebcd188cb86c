"""libsynap.so: finding it, loading it, calling it.

The library is loaded when the first client is made, not on import: a program
that forks may import this package before and open its clients after.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any, List, Optional

from ._error import SynapError
from ._generated.errors import BY_NUMBER, UnsupportedError

PENDING = -1

# The version of the C ABI that this package speaks (SYNAP_ABI_VERSION).
ABI_VERSION = 1


class Buf(ctypes.Structure):
    """synap_buf."""

    _fields_ = [("data", c_void_p), ("len", c_size_t)]


class Error(ctypes.Structure):
    """synap_error. The texts are read as pointers: one free ends all three."""

    _fields_ = [
        ("code", c_int32),
        ("status", c_int32),
        ("flags", c_uint32),
        ("message", c_char_p),
        ("command", c_char_p),
        ("transport", c_char_p),
    ]


class Slot:
    """The out-parameters of one call, kept for the next."""

    __slots__ = ("call", "buf", "err", "call_ref", "buf_ref", "err_ref")

    def __init__(self) -> None:
        self.call = c_uint64()
        self.buf = Buf()
        self.err = Error()
        self.call_ref = byref(self.call)
        self.buf_ref = byref(self.buf)
        self.err_ref = byref(self.err)


class Library:
    """The functions of libsynap.so with their prototypes."""

    def __init__(self, path: str) -> None:
        lib = ctypes.CDLL(path)  # calls release the GIL
        quick = ctypes.PyDLL(path)  # calls keep it: for functions that never wait
        out_buf, out_err, out_u64 = POINTER(Buf), POINTER(Error), POINTER(c_uint64)
        request: List[Any] = [c_uint64, c_char_p, c_size_t, c_int64]

        def function(of: ctypes.CDLL, name: str, *argtypes: Any, restype: Any = c_int32) -> Any:
            f = getattr(of, "synap_" + name)
            f.argtypes = argtypes
            f.restype = restype
            return f

        self.abi_version = function(quick, "abi_version", restype=c_uint32)
        self.version = function(quick, "version", restype=c_char_p)
        self.open = function(lib, "open", c_char_p, c_size_t, c_char_p, c_size_t, out_u64, out_err)
        self.close = function(lib, "close", c_uint64, out_err)
        self.start = function(lib, "start", *request, c_int64, out_u64, out_buf, out_err)
        self.wait = function(lib, "wait", c_uint64, c_uint64, c_int64, out_buf, out_err)
        self.submit = function(lib, "submit", *request, c_uint64, out_err)
        self.cancel = function(lib, "cancel", c_uint64, c_uint64, out_err)
        self.poll = function(lib, "poll", c_uint64, c_size_t, c_int64, out_buf, out_err)
        self.completion_fd = function(lib, "completion_fd", c_uint64, POINTER(c_int32), out_err)
        self.buf_free = function(quick, "buf_free", out_buf, restype=None)
        self.error_free = function(quick, "error_free", out_err, restype=None)
        self.testserver_start = function(lib, "testserver_start", c_char_p, c_size_t, out_u64, out_buf, out_err)
        self.testserver_stop = function(lib, "testserver_stop", c_uint64, out_err)

    def take_error(self, slot: Slot) -> SynapError:
        """Returns the error in a slot and frees it."""
        e = slot.err
        texts = [(t or b"").decode("utf-8", "replace") for t in (e.message, e.command, e.transport)]
        error = error_of([e.code, e.status, e.flags, *texts])
        self.error_free(slot.err_ref)
        return error

    def take_buf(self, slot: Slot) -> bytes:
        """Returns the bytes in a slot's buffer and frees it."""
        buf = slot.buf
        data = ctypes.string_at(buf.data, buf.len)
        self.buf_free(slot.buf_ref)
        return data


def error_of(fields: List[Any]) -> SynapError:
    """Makes the exception of [code, status, flags, message, command, transport]."""
    code, status, flags, message, command, transport = fields[:6]
    cls = BY_NUMBER.get(code, SynapError)
    return cls(
        message,
        status_code=status or None,
        code="" if code in BY_NUMBER else f"Code({code})",
        retryable=bool(flags & 1),
        maybe_applied=bool(flags & 2),
        command=command,
        transport=transport,
    )


_library: Optional[Library] = None
_lock = threading.Lock()


def library() -> Library:
    """Returns the library, loaded at the first call."""
    global _library
    if _library is None:
        with _lock:
            if _library is None:
                _library = _load()
    return _library


def _load() -> Library:
    _check_platform()
    path = _find()
    try:
        lib = Library(path)
    except (OSError, AttributeError) as e:
        raise UnsupportedError(f"{path} cannot be loaded: {e}. Reinstall synap-sdk, or build the library anew.") from e
    version = lib.abi_version()
    if version != ABI_VERSION:
        raise UnsupportedError(
            f"{path} has ABI version {version}, this package needs {ABI_VERSION}. "
            "Install the library and synap-sdk of one release."
        )
    return lib


def _check_platform() -> None:
    if not sys.platform.startswith("linux"):
        raise UnsupportedError(f"synap-sdk needs Linux, not {sys.platform}: libsynap.so is built for Linux with glibc.")
    try:
        glibc = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        glibc = None
    if not glibc:
        raise UnsupportedError(
            "synap-sdk needs glibc: a Go shared library cannot be loaded on musl (Alpine). "
            "Use an image with glibc, such as one based on Debian."
        )


def _find() -> str:
    override = os.environ.get("SYNAP_LIBRARY")
    if override:
        if not os.path.isfile(override):
            raise UnsupportedError(f"SYNAP_LIBRARY names {override}, which does not exist.")
        return override
    here = Path(__file__).resolve()
    packaged = here.parent / "libsynap.so"
    if packaged.is_file():
        return str(packaged)
    if len(here.parents) > 4:
        built = here.parents[4] / "build" / "libsynap.so"  # a source tree
        if built.is_file():
            return str(built)
    raise UnsupportedError(
        "libsynap.so was not found. Install the wheel of synap-sdk for this platform; "
        "in a source tree run `make lib`; or name the file in SYNAP_LIBRARY."
    )
