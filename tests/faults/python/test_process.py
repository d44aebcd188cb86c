"""What happens to a process: forks, Ctrl-C, exit with calls in flight."""

import signal
import time

import pytest

PRELUDE = """
import asyncio, atexit, os, signal, socket, sys, threading, time
from synap_sdk import *
from synap_sdk.testing import TestServer

silent = socket.socket()
silent.bind(("127.0.0.1", 0))
silent.listen(64)
atexit.register(silent.close)
SILENT = f"http://127.0.0.1:{silent.getsockname()[1]}"
"""

FORKS = {
    "call": "client.kv.get('k')",
    "second client": "SynapClient('memory://')",
    "subscription": "client.pubsub.subscribe(['t'])",
    "batch": "b = client.batch(); b.kv.get('k'); b.execute()",
    "asyncio": "asyncio.run(aclient.kv.get('k'))",
}


@pytest.mark.parametrize("address", ["memory://", "http"])
@pytest.mark.parametrize("what", list(FORKS))
def test_a_forked_child_is_told(start_python, what, address):
    script = PRELUDE + f"""
server = TestServer()
url = "memory://" if {address!r} == "memory://" else server.url
client, aclient = SynapClient(url), AsyncSynapClient(url)
client.kv.set("k", "v")
asyncio.run(aclient.kv.set("k", "v"))
pid = os.fork()
if pid == 0:
    start = time.monotonic()
    try:
        {FORKS[what]}
        print("no error")
    except ForkError as e:
        print("told" if "fork" in e.message and time.monotonic() - start < 1 else e.message)
    sys.exit(7)  # a full exit, with all finalizers
_, status = os.waitpid(pid, 0)
print(os.WEXITSTATUS(status), client.kv.get("k"))
"""
    out, _ = start_python(script).communicate(timeout=20)
    assert out == "told\n7 v\n"


def test_a_library_loaded_after_the_fork_works(start_python):
    script = PRELUDE + """
pid = os.fork()
if pid == 0:
    with SynapClient("memory://") as client:
        client.kv.set("k", "v")
        print(client.kv.get("k"))
    sys.exit(0)
os.waitpid(pid, 0)
"""
    out, _ = start_python(script).communicate(timeout=20)
    assert out == "v\n"


INTERRUPTS = {
    "call": "SynapClient(SILENT, timeout=60).kv.get('k')",
    "subscription": "next(SynapClient('memory://').pubsub.subscribe(['t']))",
    "for loop": "[m for m in SynapClient('memory://').pubsub.subscribe(['t'])]",
    "batch": "b = SynapClient(SILENT, timeout=60).batch(); b.kv.get('k'); b.execute()",
    "asyncio": "asyncio.run(AsyncSynapClient(SILENT, timeout=60).kv.get('k'))",
}


@pytest.mark.parametrize("what", list(INTERRUPTS))
def test_ctrl_c_interrupts_a_waiting_call(start_python, what):
    script = PRELUDE + f"""
print("ready", flush=True)
try:
    {INTERRUPTS[what]}
except KeyboardInterrupt:
    print("interrupted")
"""
    process = start_python(script)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    start = time.monotonic()
    out, _ = process.communicate(timeout=20)
    assert out == "interrupted\n" and process.returncode == 0
    assert time.monotonic() - start <= 2


def test_an_interrupted_reader_can_read_on(start_python):
    script = PRELUDE + """
messages = SynapClient("memory://m").pubsub.subscribe(["t"])
publisher = SynapClient("memory://m")
for i in range(5):
    threading.Timer(0.1, signal.raise_signal, (signal.SIGINT,)).start()
    try:
        messages.next(timeout=5)
    except KeyboardInterrupt:
        pass
for i in range(5):
    publisher.pubsub.publish("t", i)
print([messages.next(timeout=5).message for _ in range(5)])
"""
    out, _ = start_python(script).communicate(timeout=20)
    assert out == "[0, 1, 2, 3, 4]\n"


EXITS = {
    "daemon thread in a call": "threading.Thread(target=SynapClient(SILENT, timeout=60).kv.get, args=('k',), daemon=True).start(); time.sleep(0.2)",
    "daemon thread in a subscription": "threading.Thread(target=list, args=(SynapClient('memory://').pubsub.subscribe(['t']),), daemon=True).start(); time.sleep(0.2)",
    "open client": "client = SynapClient('memory://'); client.kv.set('k', 'v')",
    "open subscription": "client = SynapClient('memory://'); subscription = client.pubsub.subscribe(['t'])",
    "open server": "server = TestServer(); client = SynapClient(server.url); client.kv.set('k', 'v')",
    "abandoned task": """
async def main():
    global task, client
    client = AsyncSynapClient(SILENT, timeout=60)
    task = asyncio.ensure_future(client.kv.get('k'))
    await asyncio.sleep(0.2)
asyncio.run(main())
""",
    "loop that was never closed": """
loop = asyncio.new_event_loop()
client = AsyncSynapClient(SILENT, timeout=60)
task = loop.create_task(client.kv.get('k'))
loop.run_until_complete(asyncio.sleep(0.2))
task.cancel()
try:
    loop.run_until_complete(task)
except asyncio.CancelledError:
    pass
asyncio.set_event_loop(loop)
""",
    "exit in the middle of a call": "threading.Timer(0.3, lambda: os._exit(0)).start(); SynapClient(SILENT, timeout=60).kv.get('k')",
}


@pytest.mark.parametrize("what", list(EXITS))
def test_a_process_ends_at_once_with_calls_in_flight(start_python, what):
    start = time.monotonic()
    process = start_python(PRELUDE + EXITS[what])
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0, out
    assert "Error" not in out and "Exception ignored" not in out and "Synap" not in out, out
    assert time.monotonic() - start < 4
