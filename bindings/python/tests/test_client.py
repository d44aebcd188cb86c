"""Clients: making, sharing and dropping them; batches."""

import gc
import os
import pickle
import threading

import pytest

from synap_sdk import InvalidArgumentError, NotFoundError, QueueMessage, SynapClient, SynapError
from synap_sdk import _native


def test_context_manager_closes(url):
    with SynapClient(url) as client:
        assert not client.closed
    assert client.closed and "closed" in repr(client)


def test_clients_of_one_memory_name_share_a_store():
    with SynapClient("memory://shared-store") as a, SynapClient("memory://shared-store") as b, SynapClient("memory://other-store") as c:
        a.kv.set("k", "v")
        assert b.kv.get("k") == "v" and c.kv.get("k") is None


def test_from_env(monkeypatch, server):
    monkeypatch.setenv("SYNAP_URL", server.url)
    with SynapClient.from_env(timeout=2) as client:
        assert client.kv.set("env", "v") is True
        assert repr(client) == f"<SynapClient {server.url}>"
    monkeypatch.delenv("SYNAP_URL")
    with pytest.raises(InvalidArgumentError, match="SYNAP_URL"):
        SynapClient.from_env()


def test_options_come_from_the_environment(run_python, monkeypatch, server):
    script = "from synap_sdk import SynapClient\nSynapClient.from_env()"
    monkeypatch.setenv("SYNAP_URL", server.url)
    monkeypatch.setenv("SYNAP_TIMEOUT", "3")
    assert run_python(script).returncode == 0
    monkeypatch.setenv("SYNAP_TIMEOUT", "soon")
    assert "option timeout must be a number of seconds" in run_python(script).stdout


def test_a_dropped_client_is_closed_but_not_what_still_uses_it(server):
    client = SynapClient(server.url)
    kv, channel = client.kv, client._channel
    del client
    gc.collect()
    assert kv.set("k", "v") is True
    finalizer = channel._finalizer
    del kv, channel
    gc.collect()
    assert not finalizer.alive


def test_threads_share_a_client(client):
    failures = []

    def work(n):
        try:
            for i in range(200):
                key = f"{n}-{i}"
                client.kv.set(key, key)
                assert client.kv.get(key) == key
                client.kv.incr("counter")
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failures == []
    assert client.kv.get("counter") == "1600"


def test_records_are_frozen_and_comparable():
    m = QueueMessage("id", b"p", 5, 0, 3)
    with pytest.raises(AttributeError):
        m.payload = b"x"
    assert m == QueueMessage("id", b"p", 5, 0, 3) and m != QueueMessage("id", b"q", 5, 0, 3)
    assert pickle.loads(pickle.dumps(m)) == m and hash(m) == hash(pickle.loads(pickle.dumps(m)))
    assert "payload=b'p'" in repr(m) and not hasattr(m, "__dict__")


def test_batch_returns_results_in_order(client):
    with client.batch() as batch:
        first = batch.kv.set("a", "1")
        batch.kv.incr("a")
        batch.kv.get("a")
        batch.queue.create("q")
        batch.queue.publish("q", b"x")
        message = batch.queue.consume("q", "w")
        batch.queue.consume("q", "w")
        batch.command("kv.get", {"key": "a"})
        assert len(batch) == 8
        with pytest.raises(InvalidArgumentError, match="has not run"):
            first.result()
    assert batch.results[:4] == [True, 2, "2", None]
    assert first.result() is True and first.error is None
    assert message.result().payload == b"x" and batch.results[5] is message.result()
    assert batch.results[6] is None
    assert len(batch) == 0


def test_batch_raises_the_first_error_after_all_have_run(client):
    batch = client.batch()
    with pytest.raises(NotFoundError) as e:
        with batch:
            batch.kv.set("a", "1")
            failed = batch.queue.publish("nowhere", b"")
            batch.kv.set("b", "2")
    assert e.value.command == "queue.publish"
    assert client.kv.mget(["a", "b"]) == ["1", "2"]
    assert batch.results[0] is True and batch.results[1] is failed.error and batch.results[2] is True
    with pytest.raises(NotFoundError):
        failed.result()


def test_batch_gives_errors_as_values_on_request(client):
    with client.batch(raise_on_error=False) as batch:
        batch.queue.ack("nowhere", "id")
        batch.kv.set("k", "v", ttl=-1)
        batch.kv.set("k", "v")
    assert [type(r) for r in batch.results] == [NotFoundError, InvalidArgumentError, bool]


def test_a_block_left_by_an_exception_runs_nothing(client):
    with pytest.raises(ZeroDivisionError):
        with client.batch() as batch:
            batch.kv.set("k", "v")
            1 / 0
    assert client.kv.get("k") is None


def test_empty_and_large_batches(client):
    assert client.batch().execute() == []
    with client.batch(timeout=30) as batch:
        for i in range(2000):
            batch.kv.set(f"k{i}", str(i))
    assert batch.results == [True] * 2000
    assert client.kv.get("k1999") == "1999"


def test_bad_arguments_fail_where_they_are_written(client):
    with client.batch() as batch:
        with pytest.raises(InvalidArgumentError):
            batch.kv.set("k", 1)
        batch.kv.set("k", "v")
    assert batch.results == [True]


@pytest.mark.parametrize(
    "setting, message",
    [("missing.so", "does not exist"), ("text.so", "cannot be loaded")],
)
def test_library_that_cannot_be_used(run_python, tmp_path, monkeypatch, setting, message):
    (tmp_path / "text.so").write_text("no library")
    monkeypatch.setenv("SYNAP_LIBRARY", str(tmp_path / setting))
    out = run_python(
        "import synap_sdk\n"
        "try:\n    synap_sdk.SynapClient('memory://')\n"
        "except synap_sdk.UnsupportedError as e:\n    print(e.message)\n"
    ).stdout
    assert message in out and "Traceback" not in out


def test_musl_is_named(monkeypatch):
    monkeypatch.setattr(os, "confstr", lambda name: None)
    with pytest.raises(SynapError, match="musl"):
        _native._check_platform()


def test_other_abi_versions_are_refused(monkeypatch):
    monkeypatch.setattr(_native, "ABI_VERSION", 999)
    with pytest.raises(SynapError, match="ABI version 1, this package needs 999"):
        _native._load()
