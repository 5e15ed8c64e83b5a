"""Display names of the models."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication

translate = QCoreApplication.translate


def describe_model(name: str) -> str:
    """Return the translated display name of a model; an unknown name unchanged."""
    names = {
        "auto": translate("Models", "Automatic"),
        "student": translate("Models", "Mattecam (bundled, fast)"),
        "rvm-mobilenetv3": translate("Models", "Robust Video Matting, fast"),
        "rvm-resnet50": translate("Models", "Robust Video Matting, fine"),
        "bgmv2-mobilenetv2": translate("Models", "Background Matting, fast"),
        "bgmv2-resnet50": translate("Models", "Background Matting, fine"),
        "bgmv2-resnet101": translate("Models", "Background Matting, finest"),
        "u2net": translate("Models", "U²-Net, any object"),
        "u2netp": translate("Models", "U²-Net, any object, small"),
        "u2net-human-seg": translate("Models", "U²-Net, people"),
    }
    return names.get(name, name)
