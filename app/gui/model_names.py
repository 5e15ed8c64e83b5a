"""What the models are called for people."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication


def describe_model(name: str) -> str:
    """The model's name for people, translated; an unknown one as it is."""

    def tr(text: str) -> str:
        return QCoreApplication.translate("model_names", text)

    return {
        "auto": tr("Automatic"),
        "student": tr("Mattecam (bundled, fast)"),
        "rvm-mobilenetv3": tr("Robust Video Matting, fast"),
        "rvm-resnet50": tr("Robust Video Matting, fine"),
        "bgmv2-mobilenetv2": tr("Background Matting, fast"),
        "bgmv2-resnet50": tr("Background Matting, fine"),
        "bgmv2-resnet101": tr("Background Matting, finest"),
        "u2net": tr("U²-Net, any object"),
        "u2netp": tr("U²-Net, any object, small"),
        "u2net-human-seg": tr("U²-Net, people"),
    }.get(name, name)
