"""The results of batches."""

from __future__ import annotations

from typing import Any, Callable, Generic, List, Optional, TypeVar

from ._error import SynapError
from ._generated.errors import InvalidArgumentError

T = TypeVar("T")
Make = Callable[[Any], Any]


class BatchResult(Generic[T]):
    """The result of one call of a batch, there once the batch has run."""

    __slots__ = ("_make", "_done", "_value", "_error")

    def __init__(self, make: Optional[Make] = None) -> None:
        self._make = make
        self._done = False
        self._value: Any = None
        self._error: Optional[SynapError] = None

    def result(self) -> T:
        """Returns the result, or raises the error with which the call failed."""
        if not self._done:
            raise InvalidArgumentError("the batch has not run yet")
        if self._error is not None:
            raise self._error
        value: T = self._value
        return value

    @property
    def error(self) -> Optional[SynapError]:
        """The error with which the call failed, None if it did not."""
        return self._error

    def _settle(self, value: Any, error: Optional[SynapError]) -> None:
        self._done = True
        self._error = error
        if error is None:
            self._value = value if self._make is None else self._make(value)


Add = Callable[..., BatchResult[Any]]


def optional(make: Make) -> Make:
    """Makes a record of a reply that may be nothing."""
    return lambda fields: None if fields is None else make(fields)


def listed(make: Make) -> Make:
    """Makes records of a list."""
    return lambda items: [make(fields) for fields in items]


__all__: List[str] = ["Add", "BatchResult", "listed", "optional"]
