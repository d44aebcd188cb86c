"""The calls of tests/parity/calls, through the methods of both clients and of batches.

Every host runs the same ones; tests/parity/calls/README.md describes their notation.
"""

import asyncio
import dataclasses
import json
import math
import pathlib

import pytest

from synap_sdk import AsyncSynapClient, SynapClient, SynapError
from synap_sdk._generated import _table

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "tests" / "parity" / "calls"
FILES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}
GROUPS = [
    pytest.param(group, id=f"{family}-{group['name']}") for family, file in FILES.items() for group in file["groups"]
]
CODES = {name: class_name for _, name, class_name in _table.ERRORS}
#: Their commands are called one by one in test_every_command.py.
BY_HAND = {"queue", "stream", "pubsub"}


def marker(value, name):
    """Returns what follows a marker of the notation, None if value is none of that name."""
    return value.get(name) if isinstance(value, dict) and (len(value) == 1 or name == "$subset") else None


def plain(value):
    """Returns the value that the notation spells."""
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        if marker(value, "$bytes") is not None:
            return bytes.fromhex(value["$bytes"])
        if marker(value, "$int") is not None:
            return int(value["$int"])
        if marker(value, "$float") is not None:
            return float(value["$float"])
        return {k: plain(v) for k, v in value.items()}
    return value


def resolve(value, saved):
    """Puts saved results where {"$saved": "name.field"} stands."""
    if isinstance(value, list):
        return [resolve(v, saved) for v in value]
    if isinstance(value, dict):
        if marker(value, "$saved") is not None:
            name, _, field = value["$saved"].partition(".")
            return getattr(saved[name], field) if field else saved[name]
        return {k: resolve(v, saved) for k, v in value.items()}
    return value


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


KINDS = {
    "null": lambda v: v is None,
    "bool": lambda v: isinstance(v, bool),
    "int": lambda v: is_number(v) and math.isfinite(v) and v == int(v),
    "float": is_number,
    "text": lambda v: isinstance(v, str),
    "bytes": lambda v: isinstance(v, bytes),
    "list": lambda v: isinstance(v, list),
    "map": lambda v: isinstance(v, dict) or dataclasses.is_dataclass(v),
}


def match(want, got):
    """Reports whether a result is what is expected of it."""
    if isinstance(want, dict):
        if (w := marker(want, "$unordered")) is not None:
            return isinstance(got, list) and len(w) == len(got) and distinct(w, got, match)
        if (w := marker(want, "$subset")) is not None:
            return isinstance(got, list) and len(got) == want["count"] and distinct(got, w, lambda g, e: match(e, g))
        if (w := marker(want, "$one_of")) is not None:
            return any(match(e, got) for e in w)
        if (w := marker(want, "$between")) is not None:
            return is_number(got) and w[0] <= got <= w[1]
        if (w := marker(want, "$any")) is not None:
            return KINDS[w](got)
    want = plain(want) if marker(want, "$bytes") is not None or not isinstance(want, (list, dict)) else want
    if dataclasses.is_dataclass(got):
        names = {f.name for f in dataclasses.fields(got)}
        return isinstance(want, dict) and all(k in names and match(v, getattr(got, k)) for k, v in want.items())
    if isinstance(want, dict) and (marker(want, "$int") is not None or marker(want, "$float") is not None):
        want = plain(want)
    if is_number(want):
        return is_number(got) and (want == got or want != want and got != got)
    if isinstance(want, list):
        return isinstance(got, list) and len(want) == len(got) and all(map(match, want, got))
    if isinstance(want, dict):
        return isinstance(got, dict) and set(want) == set(got) and all(match(v, got[k]) for k, v in want.items())
    return type(want) is type(got) and want == got


def distinct(few, many, equal):
    """Reports whether each of few has an element of its own in many."""
    left = list(many)
    for one in few:
        found = next((i for i, other in enumerate(left) if equal(one, other)), None)
        if found is None:
            return False
        del left[found]
    return True


def bound(step, saved):
    """Returns the keyword arguments of a step."""
    parameters = _table.COMMANDS[step["command"]][0]
    given = step.get("args", [])
    if isinstance(given, list):
        given = {name: v for (name, _, required), v in zip(parameters, given) if required or v is not None}
    kinds = {name: kind for name, kind, _ in parameters}
    out = {}
    for name, value in given.items():
        value = resolve(value, saved)
        value = value if kinds[name] == "Json" else plain(value)
        if isinstance(value, list) and kinds[name] != "Json":
            value = [tuple(v) if isinstance(v, list) else v for v in value]
        out[name] = value
    return out


def method(client, command):
    family, name = command.split(".")
    return getattr(getattr(client, family), name)


class Judge:
    """Goes through the steps of a group."""

    def __init__(self, group):
        self.steps, self.saved = group["steps"], {}

    def __iter__(self):
        for number, step in enumerate(self.steps, 1):
            self.step, self.where = step, f"step {number}: {step}"
            yield step["command"], bound(step, self.saved)

    def result(self, got):
        assert "expect_error" not in self.step, f"{self.where}\ngives {got!r}"
        if "expect" in self.step:
            assert match(resolve(self.step["expect"], self.saved), got), f"{self.where}\ngives {got!r}"
        self.saved[self.step.get("save")] = got

    def error(self, error):
        want = self.step.get("expect_error")
        assert want is not None and type(error).__name__ == CODES[want], f"{self.where}\nfails with {error!r}"


def applies(group, url):
    on = "memory" if url.startswith("memory") else "http"
    if on not in group.get("on", [on]):
        pytest.skip(f"does not hold on {on}")


def test_no_command_is_left_out():
    called = {step["command"] for file in FILES.values() for group in file["groups"] for step in group["steps"]}
    wanted = {
        command
        for command, (_, kind) in _table.COMMANDS.items()
        if kind != "stream" and command.split(".")[0] not in BY_HAND
    }
    assert wanted - called == set()


@pytest.mark.parametrize("group", GROUPS)
def test_sync(url, group):
    applies(group, url)
    judge = Judge(group)
    with SynapClient(url) as client:
        for command, arguments in judge:
            try:
                got = method(client, command)(**arguments)
            except SynapError as error:
                judge.error(error)
            else:
                judge.result(got)


@pytest.mark.parametrize("group", GROUPS)
def test_async(url, group):
    applies(group, url)
    judge = Judge(group)

    async def main():
        async with AsyncSynapClient(url) as client:
            for command, arguments in judge:
                try:
                    got = await method(client, command)(**arguments)
                except SynapError as error:
                    judge.error(error)
                else:
                    judge.result(got)

    asyncio.run(main())


@pytest.mark.parametrize("group", GROUPS)
def test_batch(url, group):
    applies(group, url)
    judge = Judge(group)
    with SynapClient(url) as client:
        for command, arguments in judge:
            try:
                batch = client.batch()
                waiting = method(batch, command)(**arguments)
                batch.execute()
                got = waiting.result()
            except SynapError as error:
                judge.error(error)
            else:
                judge.result(got)
