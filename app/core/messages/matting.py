"""Messages of matting."""

from __future__ import annotations

from app.core.text import Message


class ModelText(Message):
    """Errors of models and their executors."""

    CLOSED = "The model {model} was closed and accepts no more frames; choose the model again."
    NOT_A_NUMBER = (
        "The model {model} returned values that are not numbers; if this happens again, choose the precision "
        "float32 or another model."
    )
    FAILED = (
        "The model {model} failed on the device {device}; choose another executor or device. The log has the details."
    )
    OUT_OF_MEMORY = (
        "The model {model} ran out of memory on the device {device}; choose less detail⟦, which is a lower "
        "--downsample-ratio,⟧ or another device."
    )
    UNEXPECTED = "Matting failed; choose another model or executor. The log has the details."
    OTHER_WEIGHTS = (
        "The file {file} does not contain weights of {model}; choose the model it belongs to or another file."
    )
    FRAME_TOO_SMALL = (
        "A frame of {width}×{height} at the detail {ratio} is too small for the model {model}; choose a larger one "
        "or more detail⟦, which is a higher --downsample-ratio⟧."
    )
    NO_NVIDIA_GPU = "There is no usable NVIDIA GPU on this computer; choose the device cpu or auto."
    NO_SUCH_GPU = "There is no GPU {device}; this computer has {count}. Choose another device."
    GPU_UNSUPPORTED = "The installed torch does not support the GPU {device}; choose the device cpu or auto."
    GPU_LOST = "The GPU {device} stopped working; matting continues on the CPU until Mattecam is restarted."
    GPU_FAILED = "The model {model} failed on the GPU {device}; matting continues on the CPU. The log has the details."
    GPU_MEMORY = "The GPU {device} has too little memory for the model {model}; matting continues on the CPU."
    HALF_FAILED = (
        "The model {model} returned wrong values on the GPU {device} in half precision; matting continues in float32."
    )
    NEEDS_TORCH = "{choice} needs PyTorch, which this copy of Mattecam lacks; run Mattecam from its sources for it."
    MODEL_NEEDS_TORCH = (
        "The model {model} needs PyTorch, which this copy of Mattecam lacks; run Mattecam from its sources for it."
    )
    NOT_FETCHED = (
        "The model {model} is installed without the part that runs here; download it again⟦ with `python3 run.py "
        "weights download {model}`⟧."
    )
    OPENVINO_DEVICE = "The executor openvino does not run on the device {device}; choose eager or the device cpu."
    NOT_CONVERTED = "The model {model} cannot be converted with its float32 part; choose the executor eager."
    WRONG_SIZE = (
        "The network returned {width}×{height} pixels for a frame of {frame_width}×{frame_height}; choose "
        "another model or executor."
    )
    NOT_A_MATTE = "The network returned the camera's own frame; choose another model or executor."
    BACKGROUND_EXPOSED = (
        "The network's frame shows the real background where there is no person; choose another model or executor."
    )
    NO_INT8 = (
        "There is no int8 version of the model {model} for this device and these weights; choose another precision."
    )
    PREPARING = "Preparing for this computer, once: step {step} of {count}"
    PREPARATION_CANCELLED = "The preparation for this computer was cancelled; it continues at the next start."
    SELF_TEST = "The model {model} fails its self-test on the device {device}; choose another model or executor."


class TrialText(Message):
    """How a network can run, and what was measured of it."""

    ONE_THREAD = "{precision} on one thread"
    ALL_CORES = "{precision} on all cores"
    TRIAL = "{run} {step} ms (CPU {cpu} ms)"


class PlateText(Message):
    """Errors of the picture of the empty background (the plate)."""

    NEEDED = (
        "The model {model} needs a picture of the empty room; take one⟦ in the window, with `python3 run.py ctl plate "
        "take`, or with `python3 run.py plate` while Mattecam does not run⟧."
    )
    OCCUPIED = "The picture of the empty room {file} shows a person; take it again with nobody in view."
    CHANGED = "The light or the camera has changed since the picture of the empty room was taken; take it again."
    UNREADABLE = "The picture of the empty room {file} cannot be read ({reason}); choose another one or take it again."
    NOT_AN_IMAGE = "The file {file} is not a readable image; take the picture of the empty room again."
    OTHER_CAMERA = (
        "The picture of the empty room {file} was taken with another camera ({camera}), or while it was turned "
        "otherwise; take it again."
    )
    OTHER_SHAPE = (
        "The picture of the empty room {file} has {width}×{height} pixels, but the camera delivers "
        "{camera_width}×{camera_height}; take it again with this camera."
    )
    NO_FRAMES = "There are no frames for the picture of the empty room; check that the camera delivers frames."
    SILENT = "The camera delivers no frames; no picture of the empty room was taken."
    NOT_WRITTEN = "The picture of the empty room {file} cannot be written: {reason}."
    PAUSED = "While Mattecam is paused, no picture of the empty room is taken; resume and take it again."
    CANCELLED = "Mattecam stops; no picture of the empty room was taken."
    SOMEONE_IN_VIEW = "Someone is still in view; step out of the picture and take it again."
