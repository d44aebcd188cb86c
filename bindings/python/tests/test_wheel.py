"""The wheel: what is in it, its tag, and that it installs and works."""

import ast
import base64
import csv
import hashlib
import importlib.util
import io
import pathlib
import re
import subprocess
import venv
import zipfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SPEC = importlib.util.spec_from_file_location("build_wheel", HERE.parent / "build_wheel.py")
build_wheel = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(build_wheel)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    return folder / build_wheel.build_wheel(str(folder))


def test_equal_inputs_give_equal_bytes(wheel, tmp_path, monkeypatch):
    again = tmp_path / build_wheel.build_wheel(str(tmp_path))
    assert again.name == wheel.name and again.read_bytes() == wheel.read_bytes()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    dated = tmp_path / build_wheel.build_wheel(str(tmp_path))
    assert {i.date_time for i in zipfile.ZipFile(dated).infolist()} == {(2023, 11, 14, 22, 13, 20)}


def test_record_lists_every_file_with_its_hash(wheel):
    with zipfile.ZipFile(wheel) as z:
        names = [n for n in z.namelist()]
        record = next(n for n in names if n.endswith("/RECORD"))
        rows = list(csv.reader(io.StringIO(z.read(record).decode())))
        assert sorted(r[0] for r in rows) == sorted(names)
        for name, digest, size in rows:
            if name == record:
                assert digest == size == ""
                continue
            content = z.read(name)
            want = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert digest == "sha256=" + want and int(size) == len(content)
        assert "synap_sdk/libsynap.so" in names and "synap_sdk/py.typed" in names


def test_the_tag_is_what_the_library_asks_for(wheel):
    with zipfile.ZipFile(wheel) as z:
        library = z.read("synap_sdk/libsynap.so")
        info = z.read(next(n for n in z.namelist() if n.endswith("/WHEEL"))).decode()
    major, minor, machine = re.search(r"-py3-none-manylinux_(\d+)_(\d+)_(\w+)\.whl$", wheel.name).groups()
    needed = max((int(a), int(b)) for a, b in re.findall(rb"GLIBC_(\d+)\.(\d+)", library))
    assert (int(major), int(minor)) == max(needed, (2, 17)) and machine in ("x86_64", "aarch64")
    assert f"Tag: py3-none-manylinux_{major}_{minor}_{machine}\n" in info and "Root-Is-Purelib: false" in info


def test_it_installs_and_works_without_anything_else(wheel, tmp_path, monkeypatch):
    monkeypatch.delenv("SYNAP_LIBRARY", raising=False)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--no-index", "--no-deps", "-q"]
    subprocess.run([*pip, str(wheel)], check=True)
    script = (
        "import synap_sdk; from importlib.metadata import version\n"
        "c = synap_sdk.SynapClient('memory://'); c.kv.set('k', 'v')\n"
        "print(c.kv.get('k'), version('synap-sdk') == synap_sdk.__version__, 'site-packages' in synap_sdk.__file__)"
    )
    out = subprocess.run([python, "-c", script], check=True, stdout=subprocess.PIPE, cwd=tmp_path, text=True).stdout
    assert out == "v True True\n"


def test_a_source_tree_installs_in_place(tmp_path):
    name = build_wheel.build_editable(str(tmp_path))
    with zipfile.ZipFile(tmp_path / name) as z:
        assert z.read("synap_sdk.pth").decode() == f"{HERE.parent / 'src'}\n"


def test_the_source_is_python_3_8():
    files = list((HERE.parent / "src").rglob("*.py"))
    assert len(files) > 15
    for path in files:
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
