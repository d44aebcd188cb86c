"""What all tests share: a server, and clients of either kind on either transport."""

import itertools
import os
import subprocess
import sys

import pytest

from synap_sdk import AsyncSynapClient, SynapClient
from synap_sdk.testing import TestServer

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server():
    with TestServer() as s:
        yield s


@pytest.fixture(params=["memory", "http"])
def url(request):
    """The address of an empty store."""
    if request.param == "memory":
        yield f"memory://test-{next(_numbers)}"
        return
    with TestServer() as s:
        yield s.url


@pytest.fixture
def client(url):
    with SynapClient(url) as c:
        yield c


@pytest.fixture
def aclient(url):
    """Makes clients; the test closes them on its own loop."""
    return lambda **options: AsyncSynapClient(url, **options)


@pytest.fixture
def run_python(tmp_path):
    """Runs a script in a process of its own and returns what it wrote."""

    def run(script, *args, timeout=20):
        path = tmp_path / "script.py"
        path.write_text(script, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", str(path), *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            env=dict(os.environ),
            text=True,
        )
        return done

    return run
