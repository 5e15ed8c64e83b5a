"""What the doctor finds, except about virtual cameras."""

from __future__ import annotations

from enum import unique

from app.core.text import Message


@unique
class CameraFinding(Message):
    """What the doctor finds about cameras."""

    FOUND = "{name} ({device})."
    FOUND_WITH_FORMATS = "{name} ({device}, {details})."
    UP_TO = "up to {width}×{height}"
    NONE = "No camera was found."
    WHY_NEEDED = "Without a camera, only the demo and video files are available."
    FIX_WSL = "Attach the camera to WSL with usbipd, or run the program on Windows itself."
    FIX_MAC = "Allow camera access for this terminal in System Settings › Privacy & Security › Camera."
    FIX_WINDOWS = (
        "Allow camera access for desktop apps in Settings › Privacy & security › Camera, and check the "
        "camera's own switch."
    )
    FIX_LINUX = "Connect a camera; on a laptop check its camera switch or key. Then look at the kernel log:"
    RAW_SENSOR = "The camera at {device} is a raw sensor ({name}) that ordinary programs cannot read."
    FIX_RAW_SENSOR = (
        "Set up libcamera with v4l2-relayd, or the manufacturer's camera service, which provides it as an "
        "ordinary camera."
    )
    NO_NODE = "The kernel knows the camera {name}, but the device file {device} is missing."
    FIX_NO_NODE = "In a container, pass the device through:"
    NOT_PERMITTED = "The user {user} has no permission to open {device} ({name})."
    WHY_PERMISSION = "Without permission the camera cannot be read."
    FIX_LOG_IN_AGAIN = "Then log out and log in again."
    IN_USE = "{device} ({name}) is in use by {programs}."
    WHY_IN_USE = "A camera delivers frames to one program at a time."
    FIX_IN_USE = "If that program is not Mattecam, close it or choose another camera."


@unique
class DisplayFinding(Message):
    """What the doctor finds about the display."""

    NATIVE = "The window opens on the desktop of this system."
    NO_DISPLAY = "There is no display: neither WAYLAND_DISPLAY nor DISPLAY is set."
    WHY_NO_DISPLAY = "The window cannot open; the program runs without a window."
    WAYLAND = "The display is Wayland ({name})."
    X11 = "The display is X11 ({name})."
    LIBRARY_MISSING = "The library {library} is missing."
    LIBRARIES_MISSING = "The libraries {libraries} are missing."
    WHY_LIBRARIES = "Qt cannot open a window without them."
    FIX_PACKAGE = "Install one of these packages: {packages}."


@unique
class DiskFinding(Message):
    """What the doctor finds about free disk space and folders."""

    SETTINGS = "settings"
    MODELS = "models"
    NOT_WRITABLE = "The folder for {contents}, {folder}, is not writable."
    WHY_NOT_WRITABLE = "The program cannot store its files."
    FIX_NOT_WRITABLE = "Make {folder} a folder that you have permission to write to."
    FREE = "{gibibytes} GiB are free in {folder}."
    WHY_FULL = "Writing files will fail."
    WHY_LOW = "Models and recordings need more space."
    FIX_FREE_SPACE = "Free some space on this disk."


@unique
class GpuFinding(Message):
    """What the doctor finds about graphics cards."""

    IN_USE = "torch {version} runs on {cards}."
    MAC = "torch {version} runs on the graphics processor of this Mac."
    NONE = "torch {version} found no supported graphics card; the CPU is used."
    NO_TORCH = "PyTorch is not installed; the networks run on the CPU."
    FIX_NO_TORCH = "Install mattecam[torch] to run them on the graphics card."
    WHY = "On a CPU the most accurate models reach a few frames per second; a graphics card runs them in real time."
    AMD_WITHOUT_ROCM = "An AMD graphics card is present, but torch {version} was built without ROCm."
    FIX_AMD = "If ROCm supports the card, install the ROCm build of torch; otherwise OpenVINO runs on the CPU."
    NVIDIA_WITHOUT_DRIVER = "An NVIDIA graphics card is present, but its driver is not loaded."
    FIX_DRIVER = "Install the NVIDIA driver of this system, restart, and check with:"
    TORCH_WITHOUT_CUDA = (
        "An NVIDIA graphics card is present (driver {driver}), but torch {version} was built without CUDA."
    )
    SUITS = "Driver and compute capability ({cards}) suit PyTorch's build for CUDA {cuda}."
    NO_BUILD = "No build of PyTorch with CUDA suits this driver and compute capability ({cards})."
    FIX_TORCH = "Delete {folder} and start run.py again: the setup then installs the build for CUDA {cuda}."
    FIX_PYTHON = (
        "The lock files hold no hash of the build for CUDA {cuda} and Python {python}. "
        "Start run.py with another Python, of which they hold one: {others}."
    )
    FIX_OWN_ENVIRONMENT = "In an environment of your own, install torch from {index}."
    DRIVER_TOO_OLD = "The NVIDIA driver {driver} is too old for torch {version}, which was built with CUDA {cuda}."
    FIX_DRIVER_VERSION = "Best, install the NVIDIA driver {driver} or newer and restart, if the card supports it."
    UNSUPPORTED = "torch {version} does not support the architecture of {cards}; the CPU is used."
    NO_CARD_FOUND = "The NVIDIA driver {driver} supports torch {version} (CUDA {cuda}), but torch finds no card."
    FIX_NO_CARD = (
        "Restart after a driver update. In a container, pass the card through (docker run --gpus all …). "
        "CUDA_VISIBLE_DEVICES must not be empty."
    )


@unique
class ModelFinding(Message):
    """What the doctor finds about the installed models and the processor that runs them."""

    PRECISION = "{processor}: the bundled model runs in {precision}."
    PRECISION_MEASURED = "{processor}: the bundled model runs in {precision}; measured per frame: {times}."

    INSTALLED = "Installed models: {models}."
    BUNDLED_MISSING = "The bundled model is missing from this installation; installed are {models}."
    NONE = "No model is installed, not even the bundled one."
    WHY_NEEDED = "Without a model the background cannot be replaced."
    FIX_MISSING = "Reinstall the program, or download a model:"
    ONLY_BUNDLED = "Only the small bundled model is installed."
    WHY_MORE = "The published models resolve finer edges, above all hair."
