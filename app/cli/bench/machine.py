"""Description of this machine, for benchmark results."""

from __future__ import annotations

import contextlib
import platform
import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import psutil

from app.matting.selection import hardware
from app.system.torch_build import NVIDIA_MARK, SMI_QUERY, read_nvidia

SMI_TIMEOUT_S = 5.0


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
        "nvidia_driver": nvidia_driver(),
        "load_before": round(psutil.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


def nvidia_driver(query: Sequence[str] = SMI_QUERY, mark: Path = Path(NVIDIA_MARK)) -> str | None:
    """Return the version of the NVIDIA driver from nvidia-smi or the kernel, None without a driver."""
    smi = ""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        smi = subprocess.run(query, capture_output=True, text=True, timeout=SMI_TIMEOUT_S, check=True).stdout
    nvidia = read_nvidia(smi, mark.read_text(errors="replace") if mark.exists() else "")
    return None if nvidia is None else nvidia.driver
