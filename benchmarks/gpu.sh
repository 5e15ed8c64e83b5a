#!/usr/bin/env bash
# Every check and measurement that needs an NVIDIA GPU, in one command, within eight minutes.
#
#     benchmarks/gpu.sh [--folder FOLDER] [--rehearse]
#
# PYTHON names the interpreter; it needs torch, numpy, OpenCV, pydantic and safetensors, and no package index.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python="${PYTHON:-.venv/bin/python}"
command -v "$python" >/dev/null || python="${PYTHON:-python3}"
export PYTHONUNBUFFERED=1
exec timeout --kill-after=10s 540s "$python" -m benchmarks.gpu "$@"
