"""SHA-256 of the weights that ship with the program, by path below `models`."""

from __future__ import annotations

SHA256 = {
    "rvm/rvm_mobilenetv3-int8.safetensors": "7841075ed28a46bd8bdeaf34eec3cbae3cbf7ed57c1231b4eb8833ac3ac03766",
    "mattecam/student-int8.safetensors": "aed931e5883fe987fb9ce1586d78414550074f306fd27232fb14e3f83cc06a11",
    "mattecam/student-plate.safetensors": "062271f9272e71047fcef00ad500f4702983e56ff919788e890b5eb6f90ba359",
    "mattecam/student.safetensors": "46deebb0bc5b0caf2622dc0f3768aed5ee090aab93a8e7e817db75fa6f6420e6",
}
