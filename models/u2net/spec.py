"""The published variants of U2-Net."""

from __future__ import annotations

from functools import partial

from models.spec import NetworkSpec, WeightSpec, late

_DRIVE = "https://drive.usercontent.google.com/download?confirm=t&id="


def _spec(title: str, weights: WeightSpec, *, small: bool = False) -> NetworkSpec:
    return NetworkSpec(
        title=title,
        weights=weights,
        load=partial(late(__package__, "saliency", "load"), small),
        export=late(__package__, "saliency", "export"),
        recurrent=False,
        precisions=("float32", "float16"),
    )


U2NET = _spec(
    "Objects",
    WeightSpec(
        "u2net",
        "u2net.pth",
        "Apache-2.0",
        "U2-Net, any salient object",
        _DRIVE + "1ao1ovG1Qtx4b7EoskHXmi2E9rp5CHLcZ",
        176_290_937,
        "10025a17f49cd3208afc342b589890e402ee63123d6f2d289a4a0903695cce58",
    ),
)
U2NETP = _spec(
    "Objects, small",
    WeightSpec(
        "u2netp",
        "u2netp.pth",
        "Apache-2.0",
        "U2-Net, any salient object, small",
        _DRIVE + "1rbSTGKAE-MTxBYHd-51l2hMOQPT_7EPy",
        4_683_258,
        "e7567cde013fb64813973ce6e1ecc25a80c05c3ca7adbc5a54f3c3d90991b854",
    ),
    small=True,
)
U2NET_HUMAN_SEG = _spec(
    "U²-Net, people",
    WeightSpec(
        "u2net-human-seg",
        "u2net_human_seg.pth",
        "Apache-2.0",
        "U2-Net, people; no published checksum, trusted on first download",
        _DRIVE + "1-Yg0cxgrNhHP-016FPdp902BR-kSsA4P",
    ),
)
