"""What the fault tests share: scripts in processes of their own."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def start_python(tmp_path):
    """Starts a script as a process of its own, which is killed at the end of the test."""
    started = []

    def start(script, *args):
        path = tmp_path / f"script{len(started)}.py"
        path.write_text(script, encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-X", "dev", str(path), *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(os.environ),
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
