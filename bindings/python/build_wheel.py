"""Builds the wheel of synap-sdk, with libsynap.so inside.

    python bindings/python/build_wheel.py [folder]

writes dist/synap_sdk-VERSION-py3-none-manylinux_2_N_ARCH.whl. It is also the
package's own build backend (PEP 517, PEP 660), so that `pip install .` and
`pip install -e .` work in this folder. It needs the standard library alone, and
equal inputs give equal bytes; SOURCE_DATE_EPOCH sets the time of the entries.

The platform tag is read from the library: its processor, and the newest glibc
that it asks for. A build with an older floor has an older tag.
"""

import base64
import hashlib
import os
import re
import sys
import time
import zipfile
from pathlib import Path
from typing import Dict, List, Optional, Tuple

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
SOURCE = HERE / "src"
PACKAGE = "synap_sdk"
OLDEST = (2, 17)  # manylinux2014: no older glibc is claimed to work
MACHINES = {62: "x86_64", 183: "aarch64"}  # e_machine of ELF


def version() -> str:
    return (TOP / "VERSION").read_text(encoding="utf-8").strip()


def library() -> Path:
    path = Path(os.environ.get("SYNAP_LIBRARY") or TOP / "build" / "libsynap.so")
    if not path.is_file():
        sys.exit(f"build_wheel: {path.name} is missing: run `make lib` in the top folder first (it needs Go)")
    return path


def platform_tag(elf: bytes) -> str:
    """Returns the manylinux tag that a library deserves."""
    if elf[:4] != b"\x7fELF":
        sys.exit("build_wheel: the library is not an ELF file")
    machine = MACHINES[int.from_bytes(elf[18:20], "little")]
    versions = [(int(a), int(b)) for a, b in re.findall(rb"GLIBC_(\d+)\.(\d+)", elf)]
    major, minor = max(versions + [OLDEST])
    return f"manylinux_{major}_{minor}_{machine}"


def metadata() -> bytes:
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    classifiers = [
        "Development Status :: 4 - Beta",
        "Framework :: AsyncIO",
        "License :: OSI Approved :: Apache Software License",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: Implementation :: CPython",
        "Typing :: Typed",
    ]
    lines = [
        "Metadata-Version: 2.1",
        "Name: synap-sdk",
        f"Version: {version()}",
        "Summary: Client of Synap: key-value store, message queues, event streams, pub/sub",
        "License: Apache-2.0",
        "Requires-Python: >=3.8",
        *[f"Classifier: {c}" for c in classifiers],
        "Description-Content-Type: text/markdown",
        "",
        readme,
    ]
    return "\n".join(lines).encode()


def sources() -> Dict[str, bytes]:
    """Returns the package's files by their names in the wheel."""
    files = sorted((SOURCE / PACKAGE).rglob("*"))
    return {
        p.relative_to(SOURCE).as_posix(): p.read_bytes() for p in files if p.suffix == ".py" or p.name == "py.typed"
    }


def timestamp() -> Tuple[int, int, int, int, int, int]:
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or 0)
    t = time.gmtime(max(epoch, 315532800))  # zip knows no time before 1980
    return (t.tm_year, t.tm_mon, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec)


def write_wheel(folder: str, tag: str, files: Dict[str, bytes], build: str = "") -> str:
    info = f"{PACKAGE}-{version()}.dist-info"
    files = dict(files)
    files[f"{info}/METADATA"] = metadata()
    files[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: synap-sdk build_wheel\n"
        # Compiled for a platform, so it goes where such files go.
        f"Root-Is-Purelib: {'true' if tag == 'any' else 'false'}\nTag: py3-none-{tag}\n"
    ).encode()
    files[f"{info}/LICENSE"] = (TOP / "LICENSE").read_bytes()
    record = f"{info}/RECORD"
    rows = []
    for name, content in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(content)}\n")
    files[record] = ("".join(rows) + f"{record},,\n").encode()
    file_name = f"{PACKAGE}-{version()}{build}-py3-none-{tag}.whl"
    Path(folder).mkdir(parents=True, exist_ok=True)
    moment = timestamp()
    with zipfile.ZipFile(Path(folder) / file_name, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        # RECORD stands last, as the format wishes.
        for name in sorted(files, key=lambda n: (n.startswith(info), n == record, n)):
            entry = zipfile.ZipInfo(name, moment)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = (0o100755 if name.endswith(".so") else 0o100644) << 16
            wheel.writestr(entry, files[name])
    return file_name


# --- the hooks of PEP 517 and PEP 660 ----------------------------------------


def get_requires_for_build_wheel(config_settings: Optional[dict] = None) -> List[str]:
    return []


get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(
    wheel_directory: str, config_settings: Optional[dict] = None, metadata_directory: Optional[str] = None
) -> str:
    elf = library().read_bytes()
    files = sources()
    files[f"{PACKAGE}/libsynap.so"] = elf
    return write_wheel(wheel_directory, platform_tag(elf), files)


def build_editable(
    wheel_directory: str, config_settings: Optional[dict] = None, metadata_directory: Optional[str] = None
) -> str:
    # The source tree finds build/libsynap.so by itself.
    return write_wheel(wheel_directory, "any", {f"{PACKAGE}.pth": f"{SOURCE}\n".encode()}, "-0.editable")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else TOP / "dist"
    for old in folder.glob(f"{PACKAGE}-{version()}-*.whl"):  # its tag may have been another
        old.unlink()
    print(folder / build_wheel(str(folder)))


if __name__ == "__main__":
    main()
