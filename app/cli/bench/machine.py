"""Description of this machine, for benchmark results."""

from __future__ import annotations

import platform
from datetime import date

import psutil

from app.matting.selection import hardware
from app.system.torch_build import find_nvidia


def machine() -> dict[str, object]:
    """Return date, operating system, processor, and numbers of cores and threads, GPU and its driver."""
    return {
        "date": date.today().isoformat(),
        "system": platform.platform(),
        "processor": hardware.processor(),
        "cores": psutil.cpu_count(logical=False),
        "threads": psutil.cpu_count(),
        "bfloat16": hardware.cpu_has_bfloat16(),
        "vnni": hardware.cpu_has_vnni(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "gpu": hardware.gpu(card) if (card := hardware.cuda_cards().first()) else None,
        "nvidia_driver": nvidia.driver if (nvidia := find_nvidia()) else None,
        "load_before": round(psutil.getloadavg()[0], 2),
        "python": platform.python_version(),
    }
