"""The bundled network: a small recurrent matting network, trained by this project and shipped with it."""

from models.student.bundled import load_bundled
from models.student.network import StudentNetwork

__all__ = ["StudentNetwork", "load_bundled"]
