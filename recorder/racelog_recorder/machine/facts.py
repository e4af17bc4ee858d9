"""What a race's log says of the machine that records it."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from racelog_recorder.transports.pump import stamps

RECORDED_VERSIONS = ("racelog", "trio", "httpx2", "httptools", "msgspec", "zstandard")
MIB = 1 << 20


def host_facts() -> dict[str, Any]:
    """Return the recording machine in a few facts: name, system, processor, memory, and what stamps arrivals.

    Cost: a loopback round trip to see whether the kernel stamps what is received.
    """
    return {
        "hostname": platform.node(),
        "os": f"{platform.system()} {platform.release()}",
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_mib": psutil.virtual_memory().total // MIB,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in RECORDED_VERSIONS},
        "receive_stamps": "kernel" if stamps.probe() == stamps.KERNEL else "user",
    }


def _cpu_name() -> str:
    """Return the processor's name; Linux keeps it in a file, elsewhere the platform module knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
