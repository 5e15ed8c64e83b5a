#!/usr/bin/env bash
# Train on an NVIDIA GPU in stretches of nine minutes; the same command resumes the run.
#
#     training/gpu.sh --pictures FOLDER --weights rvm_mobilenetv3.pth --out RUN [--clips FOLDER] [--minutes N]
#     training/gpu.sh --rehearse
#
# PYTHON names the interpreter; it needs torch, numpy, OpenCV, pydantic and safetensors, and no package index.
set -euo pipefail
here="$PWD"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python="${PYTHON:-$PWD/.venv/bin/python}"
command -v "$python" >/dev/null || python="${PYTHON:-python3}"
export PYTHONUNBUFFERED=1 PYTHONPATH="$PWD"
cd "$here"
# At SIGTERM the trainer writes a checkpoint.
exec timeout --signal=TERM --kill-after=45s 555s "$python" -m training.gpu "$@"
