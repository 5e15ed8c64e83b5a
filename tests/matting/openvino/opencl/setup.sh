#!/usr/bin/env bash
# Put an OpenCL driver for processors behind OpenVINO's plugin for GPUs, for tests. Usage: setup.sh FOLDER; . FOLDER/env.sh
# Needs gcc, the packages opencl-headers and ocl-icd-libopencl1, and pip: Intel's driver is 225 MB, and nothing ships it.
# With an empty SHIM_HIDE, convolutions are silently wrong: a bad GPU.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
mkdir -p "$1/none"
to="$(cd "$1" && pwd)"

gcc -O1 -shared -fPIC -o "$to/shim.so" "$here/shim.c" -ldl
"${PYTHON:-python3}" -m pip download -q --no-deps -d "$to/wheels" \
    intel-opencl-rt==2026.2.0 intel-cmplr-lib-rt==2026.2.0 tbb==2023.2.0
for wheel in "$to"/wheels/*.whl; do
    "${PYTHON:-python3}" -m zipfile -e "$wheel" "$to/root"
done
find "$to/root" -name '*.so*' -exec chmod +x {} +

folder() { # folder LIBRARY: where it lies
    dirname "$(find "$to/root" -name "$1" | head -n 1)"
}
cat >"$to/env.sh" <<X
export LD_LIBRARY_PATH=$(folder libintelocl.so):$(folder libtbb.so.12):$(folder libsvml.so)
export LD_PRELOAD="$(folder libtbb.so.12)/libtbb.so.12 $to/shim.so"
export OCL_ICD_FILENAMES=$(folder libintelocl.so)/libintelocl.so OCL_ICD_VENDORS=$to/none
export SHIM_HIDE="cl_intel_subgroups cl_intel_subgroups_char cl_intel_subgroups_short cl_intel_subgroups_long \
cl_intel_required_subgroup_size cl_intel_subgroup_local_block_io cl_intel_spirv_subgroups"
X
