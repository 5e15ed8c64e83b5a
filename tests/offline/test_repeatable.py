"""A conversion writes the same bits in every run, from the first frame of the process on."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.settings import BackgroundSettings, Settings
from tests.clips import write_clip
from tests.fresh_python import printed_by
from tests.offline.converting import run

LATE_KERNELS = """
import sys, time
from importlib.abc import MetaPathFinder
class Late(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "app.matting.kernels.composite":
            time.sleep(3)
sys.meta_path.insert(0, Late())
from app.core.settings import MattingSettings
from app.offline.convert import build_engine
engine = build_engine(MattingSettings(model="mattecam"), 96, 48)
print("app.matting.kernels.composite" in sys.modules)
engine.close()
"""


@pytest.mark.long
def test_the_engine_of_a_conversion_waits_for_the_kernels(repo: Path) -> None:
    assert printed_by(LATE_KERNELS, folder=repo) == "True\n"


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_reproducible_conversion_writes_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    source = write_clip(tmp_path / "in.mp4", 40, size=(320, 192))
    settings = Settings(background=BackgroundSettings(kind="none"))
    for name in "ab":
        run(source, tmp_path / f"{name}.{suffix}", settings, reproducible=True)
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
