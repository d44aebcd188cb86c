"""The two clients."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Optional, Type, TypeVar

from ._channel import Channel
from ._generated.families import AsyncFamilies, Families
from .batch import AsyncBatch, Batch, raw

C = TypeVar("C", bound="SynapClient")
A = TypeVar("A", bound="AsyncSynapClient")

_OPTIONS_DOC = """

    Args:
        url: Where the server is: ``http://host:15500``, ``synap://host:15501``
            (SynapRPC), ``resp3://host:6379``, these also as ``https://…``,
            ``synaps://…`` and ``resp3s://…`` over TLS, or ``memory://[name]`` for an embedded engine (clients of one name in one
            process share its store). ``user:password@`` and any option as
            ``?name=value`` may stand in it.
        timeout: Deadline of every call, all attempts included, in seconds. Default: 5.
        connect_timeout: Deadline of one connection attempt, in seconds. Default: 3.
        max_retries: Further attempts after the first, of calls that may be
            repeated. Default: 3.
        backoff: Longest wait before the first retry, in seconds; doubles with each.
            Default: 0.05.
        pool_size: Most connections. Default: 64.
        max_in_flight: Most calls at once; one more fails. Default: 100000.
        max_reply_bytes: Largest reply that is read. Default: 64 MiB.
        api_key: Sent as a bearer token.
        username: Sent with password as basic credentials.
        password: See username.
        tls_ca: Certificates to trust instead of the system's: a file or PEM text.
        tls_cert: Client certificate: a file or PEM text.
        tls_key: Key of the client certificate: a file or PEM text.
        tls_insecure: True accepts any certificate.
        push: Where pushes of an http address come from: "auto" (WebSocket, else
            SynapRPC), "ws", "rpc", or an address ``synap://host:port``.

    Each option may also stand in the environment (SYNAP_TIMEOUT and so on); an
    argument wins over the address, the address over the environment.

    Raises:
        InvalidArgumentError: The address or an option is wrong. No connection is
            made before the first call.
    """


class SynapClient(Families):
    __doc__ = (
        """A client of a Synap server whose calls wait for their replies.

    The commands stand in its families: ``client.kv``, ``client.queue``,
    ``client.stream``, ``client.pubsub``. Every call takes ``timeout=``, in seconds,
    and fails with a SynapError. A client may be shared by any number of threads.
    Close it, or use it in a ``with`` block; a forgotten one closes itself."""
        + _OPTIONS_DOC
    )

    def __init__(
        self,
        url: str,
        *,
        timeout: Optional[float] = None,
        connect_timeout: Optional[float] = None,
        max_retries: Optional[int] = None,
        backoff: Optional[float] = None,
        pool_size: Optional[int] = None,
        max_in_flight: Optional[int] = None,
        max_reply_bytes: Optional[int] = None,
        api_key: Optional[str] = None,
        username: Optional[str] = None,
        password: Optional[str] = None,
        tls_ca: Optional[str] = None,
        tls_cert: Optional[str] = None,
        tls_key: Optional[str] = None,
        tls_insecure: Optional[bool] = None,
        push: Optional[str] = None,
    ) -> None:
        options = {name: value for name, value in locals().items() if name not in _NO_OPTIONS}
        self._channel = Channel(url, options)
        self._address = _public(url)
        super().__init__(self._channel)

    @classmethod
    def from_env(cls: Type[C], **options: Any) -> C:
        """Makes a client of the address in SYNAP_URL; options as the constructor's."""
        return cls(os.environ.get("SYNAP_URL", ""), **options)

    def command(self, name: str, payload: Any = None, *, timeout: Optional[float] = None) -> Any:
        """Runs a command by its name on the server, with and for the bare payload.

        This is the way to commands without a typed method; nothing is converted.

        Args:
            name: The server's name of the command, such as "hash.set".
            payload: Its payload, usually a dict.
            timeout: Deadline of this call, in seconds. Absent: the client's.

        Returns:
            The payload of the reply.

        Example:
            client.command("kv.get", {"key": "user:1"})
        """
        return self._channel.call(raw(name, payload), timeout)

    def batch(self, *, raise_on_error: bool = True, timeout: Optional[float] = None) -> Batch:
        """Returns a Batch, which collects calls and runs them together.

        Args:
            raise_on_error: Whether the first failure is raised after all have run.
            timeout: Deadline of the whole batch, in seconds. Absent: the client's.
        """
        return Batch(self._channel, raise_on_error, timeout)

    def close(self) -> None:
        """Closes the client: calls in flight fail, subscriptions end. Closing twice is harmless."""
        self._channel.close()

    @property
    def closed(self) -> bool:
        """Whether the client was closed."""
        return self._channel.closed

    def __enter__(self: C) -> C:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SynapClient {self._address}{', closed' if self.closed else ''}>"


class AsyncSynapClient(AsyncFamilies):
    __doc__ = (
        """A client of a Synap server for asyncio.

    The commands stand in its families: ``client.kv``, ``client.queue``,
    ``client.stream``, ``client.pubsub``. Every call takes ``timeout=``, in seconds,
    and fails with a SynapError; cancelling its task cancels the call. Make it
    anywhere; the first call ties it to the running event loop, until that loop is
    closed: make one client per loop. Close it, or use it in an ``async with`` block;
    a forgotten one closes itself."""
        + _OPTIONS_DOC
    )

    def __init__(
        self,
        url: str,
        *,
        timeout: Optional[float] = None,
        connect_timeout: Optional[float] = None,
        max_retries: Optional[int] = None,
        backoff: Optional[float] = None,
        pool_size: Optional[int] = None,
        max_in_flight: Optional[int] = None,
        max_reply_bytes: Optional[int] = None,
        api_key: Optional[str] = None,
        username: Optional[str] = None,
        password: Optional[str] = None,
        tls_ca: Optional[str] = None,
        tls_cert: Optional[str] = None,
        tls_key: Optional[str] = None,
        tls_insecure: Optional[bool] = None,
        push: Optional[str] = None,
    ) -> None:
        options = {name: value for name, value in locals().items() if name not in _NO_OPTIONS}
        self._channel = Channel(url, options)
        self._address = _public(url)
        super().__init__(self._channel)

    @classmethod
    def from_env(cls: Type[A], **options: Any) -> A:
        """Makes a client of the address in SYNAP_URL; options as the constructor's."""
        return cls(os.environ.get("SYNAP_URL", ""), **options)

    async def command(self, name: str, payload: Any = None, *, timeout: Optional[float] = None) -> Any:
        """Runs a command by its name on the server, with and for the bare payload.

        This is the way to commands without a typed method; nothing is converted.

        Args:
            name: The server's name of the command, such as "hash.set".
            payload: Its payload, usually a dict.
            timeout: Deadline of this call, in seconds. Absent: the client's.

        Returns:
            The payload of the reply.

        Example:
            await client.command("kv.get", {"key": "user:1"})
        """
        return await self._channel.acall(raw(name, payload), timeout)

    def batch(self, *, raise_on_error: bool = True, timeout: Optional[float] = None) -> AsyncBatch:
        """Returns an AsyncBatch, which collects calls and runs them together.

        Args:
            raise_on_error: Whether the first failure is raised after all have run.
            timeout: Deadline of the whole batch, in seconds. Absent: the client's.
        """
        return AsyncBatch(self._channel, raise_on_error, timeout)

    async def close(self) -> None:
        """Closes the client: calls in flight fail, subscriptions end. Closing twice is harmless."""
        await self._channel.aclose()

    @property
    def closed(self) -> bool:
        """Whether the client was closed."""
        return self._channel.closed

    async def __aenter__(self: A) -> A:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncSynapClient {self._address}{', closed' if self.closed else ''}>"


# What locals() of a constructor holds besides the options.
_NO_OPTIONS = ("self", "url", "__class__")


def _public(url: str) -> str:
    """Returns scheme and host of an address: credentials stand in the rest."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("?")[0].partition("/")[0].rpartition("@")[2]
    return f"{scheme}://{host}"
