"""Client of Synap: key-value store, message queues, event streams, pub/sub.

    from synap_sdk import SynapClient

    with SynapClient("http://localhost:15500") as client:
        client.kv.set("user:1", "John Doe", ttl=3600)
        print(client.kv.get("user:1"))

AsyncSynapClient is the same for asyncio. ``memory://`` in place of the address is
an embedded engine that needs no server.
"""

from ._batch import BatchResult
from ._error import SynapError
from ._generated.errors import *  # noqa: F401,F403 the exceptions, one per error code
from ._generated.errors import __all__ as _errors
from ._generated.records import *  # noqa: F401,F403 what commands return
from ._generated.records import __all__ as _records
from ._generated.version import VERSION as __version__
from ._subscription import AsyncSubscription, Subscription
from .batch import AsyncBatch, Batch
from .client import AsyncSynapClient, SynapClient

__all__ = [
    "AsyncBatch",
    "AsyncSubscription",
    "AsyncSynapClient",
    "Batch",
    "BatchResult",
    "Subscription",
    "SynapClient",
    "SynapError",
    "__version__",
]
__all__ += _errors
__all__ += _records
