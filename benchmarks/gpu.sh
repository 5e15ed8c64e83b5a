#!/usr/bin/env bash
# Every check and measurement that needs an NVIDIA GPU, in one command, within ten minutes.
#
#     benchmarks/gpu.sh [FOLDER]        results go there; gpu-results by default
#
# PYTHON names the interpreter. Weights are found as the program finds them; without RVM's the bundled model is measured.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python="${PYTHON:-.venv/bin/python}"
[[ -x "$python" ]] || python="${PYTHON:-python3}"
results="${1:-gpu-results}"
mkdir -p "$results"
export PYTHONUNBUFFERED=1
failed=()

step() { # step LIMIT NAME COMMAND...: its output goes to NAME in the folder, its messages to NAME.log, both to the terminal
    local limit="$1" name="$2"
    shift 2
    echo "== $name"
    timeout --kill-after=10s "$limit" "$@" 2> >(tee "$results/$name.log" >&2) | tee "$results/$name"
    local code="${PIPESTATUS[0]}"
    if ((code != 0)); then
        failed+=("$name ($code)")
    fi
}

if ! "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    echo "There is no NVIDIA GPU that torch can use; nothing to check." >&2
    exit 1
fi

step 20s machine.txt nvidia-smi
step 150s tests.txt "$python" -m pytest -q -m gpu tests/matting tests/models --timeout 120
# What users choose from: the usual loop, the network alone, each way to run the step, the whole program; in one run.
step 110s bench-1080p.json "$python" run.py bench --json --size 1920x1080 --downsample-ratio 0.25 --seconds 5
step 110s bench-4k.json "$python" run.py bench --json --size 3840x2160 --downsample-ratio 0.125 --seconds 5
step 60s throughput.json "$python" -m benchmarks.bench_overlap
step 90s streams.json "$python" -m benchmarks.bench_streams --picture "$results/streams.png"

if ((${#failed[@]})); then
    echo "== failed: ${failed[*]}"
    exit 1
fi
echo "== everything passed; the results are in $results"
