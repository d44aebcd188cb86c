"""SynapError, the root of all exceptions of this package."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple


class SynapError(Exception):
    """A failed call. Catch this for all failures, a subclass for one kind.

    Attributes:
        message: What happened and, where it is known, what to do. For errors that
            the server reported it is the server's text.
        status_code: HTTP status of the failure, None where there is none.
        code: Name of the kind of failure: "NotFound", "Timeout" and so on. It is
            the same in every language.
        retryable: Whether the same call may succeed later.
        maybe_applied: Whether the command may have taken effect all the same.
        command: The command that failed, "" outside a call.
        transport: Scheme of the address ("http", "memory"), "" before a call.
    """

    code: str = ""

    def __init__(
        self,
        message: str,
        status_code: Optional[int] = None,
        code: str = "",
        retryable: bool = False,
        maybe_applied: bool = False,
        command: str = "",
        transport: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        if code:
            self.code = code
        self.retryable = retryable
        self.maybe_applied = maybe_applied
        self.command = command
        self.transport = transport

    def __str__(self) -> str:
        s = f"{self.command}: {self.message}" if self.command else self.message
        notes = [self.code] if self.code else []
        if self.status_code is not None:
            notes.append(f"status {self.status_code}")
        if self.maybe_applied:
            notes.append("may have been applied")
        return f"{s} ({', '.join(notes)})" if notes else s

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.message,), self._state()

    def _state(self) -> Dict[str, Any]:
        names = ("status_code", "code", "retryable", "maybe_applied", "command", "transport")
        return {name: getattr(self, name) for name in names}
