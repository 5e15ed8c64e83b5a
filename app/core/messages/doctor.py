"""What the doctor finds, and what its repair says."""

from __future__ import annotations

from app.core.text import CommandLineMessage, Message


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
        "Install the libcamera plugin of PipeWire (pipewire-libcamera or libspa-0.2-libcamera) and log in again; "
        "PipeWire then offers it."
    )
    NO_NODE = "The kernel knows the camera {name}, but the device file {device} is missing."
    FIX_NO_NODE = "In a container, pass the device through:"
    NOT_PERMITTED = "The user {user} has no permission to open {device} ({name})."
    WHY_PERMISSION = "Without permission the camera cannot be read."
    FIX_LOG_IN_AGAIN = "Then log out and log in again."
    IN_USE = "{device} ({name}) is in use by {programs}."
    WHY_IN_USE = "A camera delivers frames to one program at a time."
    FIX_IN_USE = "If that program is not Mattecam, close it or choose another camera."


class DisplayFinding(Message):
    """What the doctor finds about the display."""

    NATIVE = "The window opens on the desktop of this system."
    NO_DISPLAY = "There is no display: neither WAYLAND_DISPLAY nor DISPLAY is set."
    NOT_OPENED = "No window can open on {display}."
    WHY_NO_DISPLAY = "The window cannot open; the program runs without a window."
    WAYLAND = "The display is Wayland ({name})."
    X11 = "The display is X11 ({name})."
    LIBRARY_MISSING = "The library {library} is missing."
    LIBRARIES_MISSING = "The libraries {libraries} are missing."
    WHY_LIBRARIES = "Qt cannot open a window without them."
    FIX_PACKAGE = "Install one of these packages: {packages}."


class VariablesFinding(Message):
    """What the doctor finds about variables of other programs."""

    SET = "Variables of other programs reach this one: {variables}."
    WHY = "Libraries and packages that they name may take the place of the program's own and make it fail."


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


class GpuFinding(Message):
    """What the doctor finds about graphics cards."""

    IN_USE = "torch {version} runs on {cards}."
    MAC = "torch {version} runs on the graphics processor of this Mac."
    NONE = "torch {version} found no supported graphics card; the CPU is used."
    NO_TORCH = "PyTorch is not installed; the networks run on the CPU."
    FIX_NO_TORCH = "Run Mattecam from its sources to use the graphics card."
    BROKEN_TORCH = "PyTorch is installed, but cannot be loaded; the networks run on the CPU."
    FIX_BROKEN_TORCH = "Install PyTorch again. On Windows it also needs the Visual C++ Redistributable."
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


class ModelFinding(Message):
    """What the doctor finds about the installed models and the processor that runs them."""

    PRECISION = "{processor}: the model {model} is chosen, in {precision}; nothing was measured yet."
    PRECISION_MEASURED = (
        "{processor}: the model {model} is chosen, in {precision}, which holds 30 fps with the least processor time. "
        "Measured per frame: {times}."
    )
    PRECISION_FASTEST = (
        "{processor}: the model {model} is chosen, in {precision}, which is the fastest here. "
        "Measured per frame: {times}."
    )

    INSTALLED = "Installed models: {models}."
    BUNDLED_MISSING = "The bundled model is missing from this installation; installed are {models}."
    NONE = "No model is installed, not even the bundled one."
    WHY_NEEDED = "Without a model the background cannot be replaced."
    FIX_MISSING = "Reinstall the program, or download a model:"
    ONLY_BUNDLED = "Only the small bundled model is installed."
    WHY_MORE = "The published models resolve finer edges, above all hair."


class LoopbackFinding(Message):
    """What the doctor finds about v4l2loopback and its devices."""

    WHY_NEEDED = "Without a virtual camera other programs cannot see the picture; only recording works."
    LOADED = "The kernel module v4l2loopback is loaded."
    NO_DEVICE = "The kernel module v4l2loopback is loaded, but has no device."
    NOT_LOADED = "The kernel module v4l2loopback is installed for the running kernel {kernel}, but not loaded."
    BY_HAND = "Or manually:"
    BY_HAND_UNTIL_RESTART = "Or manually, until the next restart:"
    THEN = "Then:"
    KERNEL_REMOVED = "The running kernel {kernel} is no longer installed (installed: {installed})."
    FIX_RESTART = "Restart the computer: its kernel was updated since it was started."
    KERNEL_ELSEWHERE = "This looks like a container: the camera driver must be loaded on the host (kernel {kernel})."
    FIX_ON_HOST = "Load the module on the host, outside the container:"
    NOT_BUILT = "v4l2loopback is installed, but not built for the running kernel {kernel}."
    BUILT_FOR_OTHERS = "v4l2loopback is built for {kernels}, but not for the running kernel {kernel}."
    WITHOUT_HEADERS = "{finding} The headers of this kernel are not installed."
    NOT_INSTALLED = "The kernel module v4l2loopback is not installed."
    DEVICE = "{device} appears as “{label}” in other programs."
    DEVICE_OF_SEVERAL = "{device} appears as “{label}” in other programs; there are {count} virtual cameras."
    EXCLUSIVE = "{device} has exclusive_caps=1: browsers and meeting programs list it."
    NOT_EXCLUSIVE = "{device} was loaded without exclusive_caps=1."
    WHY_EXCLUSIVE = "Chromium, Chrome, Teams, Discord and Zoom do not list a virtual camera that also accepts output."
    FIX_CLOSE_PROGRAMS = "Close every program that uses {device}, then:"
    NO_NODE = "The kernel has a virtual camera, but the device file {device} is missing."
    FIX_NO_NODE = "In a container, pass the device through (docker run --device {device} …); otherwise start udev:"
    PERMITTED = "The user {user} has permission to write to {device}."
    NOT_PERMITTED = "The user {user} has no permission to open {device}."
    WHY_PERMISSION = "Without permission the program cannot send frames to the virtual camera."
    BUSY = "Another program sends to {device}; it is open in {programs}."
    BUSY_UNKNOWN = "A program of another user sends to {device}."
    WHY_BUSY = "A virtual camera accepts frames from one program at a time."
    FIX_BUSY = "If that program is Mattecam, nothing needs to be done. Otherwise close it or use another device:"
    FREE = "{device} is free."
    FREE_WITH_READERS = "{device} is free; waiting for its picture: {programs}."
    AT_START = "The module is loaded at every start of the computer."
    NOT_AT_START = "The module is not loaded at the start of the computer."
    WHY_AT_START = "After a restart the virtual camera is missing."
    OTHER_OPTIONS = "Options of v4l2loopback are also set in {files}."
    WHY_OTHER_OPTIONS = "modprobe merges the options of all files, so devices may get another number, label or mode."
    FIX_ONE_FILE = "Keep one file with both devices, for example:"
    FIX_REMOVE_OTHERS = "Remove the other files:"
    FIX_PACKAGE = "Install the package v4l2loopback (often v4l2loopback-dkms) and the headers of the running kernel."
    FIX_HEADERS = "Install the headers of the running kernel, then:"
    FIX_RPM_FUSION = "With RPM Fusion (free) enabled:"
    FIX_NIXOS = "In /etc/nixos/configuration.nix:"


class SecureBootFinding(Message):
    """What the doctor finds about Secure Boot."""

    OFF = "Secure Boot is off: the kernel loads unsigned modules."
    ACCEPTED = "Secure Boot is on, and the kernel accepted the module's signature."
    NOT_BUILT = "Secure Boot is on: the module must be signed with a key that is enrolled in the firmware."
    SIGNED = "Secure Boot is on, and the module is signed by “{signer}”."
    UNSIGNED = "Secure Boot is on, and the module is not signed."
    WHY = "With Secure Boot the kernel rejects modules whose key is not enrolled (“Key was rejected by service”)."
    FIX = "Enrol the signing key, restart, and confirm on the blue screen:"


class ObsFinding(Message):
    """What the doctor finds about virtual cameras on Windows and macOS."""

    INSTALLED = "Installed: {programs}."
    NONE_ON_WINDOWS = "Neither OBS Virtual Camera nor Unity Video Capture is installed."
    FIX_WINDOWS = "Install OBS Studio (it need not run), then restart the programs that use the camera:"
    ALLOWED = "OBS Virtual Camera is installed and allowed."
    NOT_ALLOWED = "The camera extension of OBS is installed, but not allowed."
    FIX_ALLOW = (
        "Allow it in System Settings › General › Login Items & Extensions › Camera Extensions (before macOS "
        "15: Privacy & Security), then restart OBS once."
    )
    WITHOUT_EXTENSION = "OBS is installed, but its camera extension is not."
    FIX_EXTENSION = "Open OBS, press “Start Virtual Camera” once, allow the extension, and close OBS."
    NONE_ON_MAC = "OBS Studio, which provides the virtual camera, is not installed."
    FIX_MAC = "Install OBS Studio, press “Start Virtual Camera” once, and allow the extension:"


class PipeWireFinding(Message):
    """What the doctor finds about the PipeWire camera."""

    WHY = "Programs that look for cameras in PipeWire, such as browsers and Flatpak programs, do not show the camera."
    NOT_INSTALLED = "PipeWire is not installed, so there is no PipeWire camera."
    NOT_RUNNING = "PipeWire does not answer, so there is no PipeWire camera."
    FIX_START = "Start PipeWire:"
    RUNNING = "PipeWire answers: the program offers a PipeWire camera."
    FIX_SESSION_MANAGER = "Start WirePlumber, which connects programs with cameras:"
    NO_PORTAL = "The desktop has no camera portal."
    PORTAL = "The desktop has a camera portal."
    OUTSIDE_SANDBOX = "programs outside a sandbox"
    NOT_ALLOWED = "The camera permission of {program} is “{answer}”: they get no camera from the portal."
    FIX_FORGET = "Forget the answer, so that the desktop asks again:"
    FIREFOX_PIPEWIRE = (
        "Firefox looks for cameras in PipeWire: it shows the PipeWire camera, and no camera of v4l2loopback."
    )
    FIREFOX_DEVICES = (
        "Firefox looks for device files: it shows the virtual camera, but no PipeWire camera. "
        "media.webrtc.camera.allow-pipewire in about:config changes that."
    )
    FLATPAK = "Flatpak programs are installed; those without access to device files find the PipeWire camera only."
    SNAP = "The snap {program} may not use cameras."


class ProofFinding(Message):
    """What the doctor's test picture shows."""

    BUSY = "No test picture was sent to {device} because another program sends to it."
    FIX_BUSY = "Close that program and check again."
    NOT_SENT = "The test picture could not be sent: {reason}"
    HANGS = "The driver of {device} does not respond."
    NOTHING_SENT = "{device} accepted no frame within {seconds} seconds."
    WHY_NOT_SENT = "Other programs see no picture."
    FIX_NOT_SENT = "Close other programs that use the device; if that does not help, reload the module:"
    NOT_READABLE = "{device} accepts frames, but cannot be opened as a camera."
    FIX_NOT_READABLE = "Load the module with exclusive_caps=1:"
    ONE_READER = "{device} takes one program at a time, and {programs} reads it."
    WHY_ONE_READER = "No other program can open the camera meanwhile."
    NO_PICTURE = "{device} can be opened as a camera, but delivers no frames."
    FIX_CLOSE_PROGRAMS = "Close every program that uses the device and check again."
    WHY_SAME = "Other programs see the same."
    OTHER_SIZE = (
        "{device} delivers {width}×{height} instead of {wanted_width}×{wanted_height} because a program is reading it."
    )
    WHY_OTHER_SIZE = "The picture is letterboxed to that size."
    FIX_OTHER_SIZE = "Close the programs that read the camera so that it can take the new size."
    WRONG_COLOURS = "The colours read back from {device} differ by up to {error} of 255."
    FIX_WRONG_COLOURS = (
        "Close every program that uses the device and check again; if that does not help, update v4l2loopback."
    )
    GOOD = "Colour bars sent to {device} were read back at {width}×{height}; the largest error is {error} of 255."


class DoctorFix(CommandLineMessage):
    """Texts of `doctor --fix`."""

    NOT_LINUX = "On this system the virtual camera comes from OBS; run `doctor` to see what to install."
    FOLLOW = "{detail}\n{steps}"
    NO_ELEVATION = "Neither sudo nor pkexec is installed; run the shown commands as root."
    TIMED_OUT = "The repair did not finish within {seconds} seconds; run the shown commands as root."
    NOTHING_TO_DO = "Nothing to repair: the virtual camera “{label}” is set up."
    AS_ROOT = "As root:\n{script}"
    AS_ROOT_WITH = "As root (with {program}):\n{script}"
    DECLINED = "Nothing was changed."
    DONE = "Done: the virtual camera is loaded, now and at every start of the computer."
    NO_TERMINAL = "There is no terminal to confirm on; run the lines above as root, or run this command in a terminal."


class RepairFailure(Message):
    """Why the virtual camera could not be set up."""

    NOT_RUN = "The repair could not be started ({program} cannot be run); run the shown commands as root."
    FAILED = "The repair failed with exit code {code} (details are in the log); run the shown commands as root."
    FAILED_IN_USE = "The repair failed: the virtual camera is in use. Close the programs that use it and try again."
    FAILED_KEY = (
        "The repair failed: Secure Boot rejects the module. Enrol its key as shown under “Virtual camera: Secure Boot”."
    )
    FAILED_FORBIDDEN = "The repair failed: Secure Boot or a container forbids loading modules."
    NO_DIALOG = "This desktop cannot ask for the password; run the shown commands in a terminal."
    DISMISSED = "Nothing was changed: the password was not entered."
