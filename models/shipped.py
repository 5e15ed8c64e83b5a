"""SHA-256 of the weights that ship with the program, by path below `models`."""

from __future__ import annotations

SHA256 = {
    "rvm/rvm_mobilenetv3-int8.safetensors": "7841075ed28a46bd8bdeaf34eec3cbae3cbf7ed57c1231b4eb8833ac3ac03766",
    "mattecam/student-int8.safetensors": "fe930e3729e175dfb7a1f32a9237ec17e97702d54b383a7ca9b8cac8d5c5af40",
    "mattecam/student-plate.safetensors": "062271f9272e71047fcef00ad500f4702983e56ff919788e890b5eb6f90ba359",
    "mattecam/student.safetensors": "9c3bb59488f24f1a53352506e19b73c19f82771e8c1de3b65b49cb365dded4e5",
}
