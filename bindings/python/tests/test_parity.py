"""The surface of the package is that of the command table, nothing left out."""

import dataclasses
import inspect
import pathlib

import pytest

import synap_sdk
from synap_sdk import AsyncSynapClient, SynapClient, SynapError
from synap_sdk._generated import _table

STREAMS = {name for name, (_, kind) in _table.COMMANDS.items() if kind == "stream"}


def families(of):
    """Returns {command: method} of a client or batch."""
    out = {}
    for family, namespace in vars(of).items():
        if family.startswith("_") or not type(namespace).__module__.startswith("synap_sdk._generated"):
            continue
        for method in dir(namespace):
            if not method.startswith("_"):
                out[f"{family}.{method}"] = getattr(namespace, method)
    return out


@pytest.fixture(params=["sync", "async", "batch"])
def surface(request):
    client = SynapClient("memory://") if request.param != "async" else AsyncSynapClient("memory://")
    return request.param, families(client.batch() if request.param == "batch" else client)


def test_every_command_has_a_method_and_no_other_is_there(surface):
    flavour, methods = surface
    assert set(methods) == set(_table.COMMANDS) - (STREAMS if flavour == "batch" else set())


def test_parameters_are_those_of_the_table(surface):
    flavour, methods = surface
    for name, method in methods.items():
        arguments, kind = _table.COMMANDS[name]
        parameters = list(inspect.signature(method).parameters.values())
        if flavour != "batch":
            timeout = parameters.pop()
            assert (timeout.name, timeout.kind, timeout.default) == ("timeout", timeout.KEYWORD_ONLY, None), name
        assert [p.name for p in parameters] == [a[0] for a in arguments], name
        for p, (_, annotation, required) in zip(parameters, arguments):
            assert (p.default is p.empty) == required, name
            assert p.annotation in (annotation, f"Optional[{annotation}]"), name


def test_methods_are_coroutines_where_they_should_be(surface):
    flavour, methods = surface
    for name, method in methods.items():
        assert inspect.iscoroutinefunction(method) == (flavour == "async" and name not in STREAMS), name


def test_methods_are_documented(surface):
    _, methods = surface
    for name, method in methods.items():
        assert method.__doc__, name


def test_records_are_those_of_the_table():
    for name, fields in _table.RECORDS.items():
        record = getattr(synap_sdk, name)
        assert [f.name for f in dataclasses.fields(record)] == fields
        assert name in synap_sdk.__all__


def test_errors_are_those_of_the_table():
    for _, code, class_name in _table.ERRORS:
        cls = getattr(synap_sdk, class_name)
        assert issubclass(cls, SynapError) and cls.code == code
        assert class_name in synap_sdk.__all__


@pytest.mark.parametrize("cls", [SynapClient, AsyncSynapClient])
def test_options_are_those_of_the_library(cls):
    parameters = inspect.signature(cls).parameters
    assert list(parameters) == ["url"] + _table.OPTIONS
    for name in _table.OPTIONS:
        assert parameters[name].kind == inspect.Parameter.KEYWORD_ONLY and parameters[name].default is None
        assert f"        {name}: " in cls.__doc__


def test_version_is_that_of_the_project():
    top = pathlib.Path(__file__).resolve().parents[3]
    assert synap_sdk.__version__ == (top / "VERSION").read_text().strip()


def test_guide_is_the_one_that_is_tested():
    # The snippets of test_guide.py come from this copy; its front matter names it.
    guide = pathlib.Path(__file__).parent / "guide" / "guide.md"
    assert "title: Python SDK" in guide.read_text(encoding="utf-8")
