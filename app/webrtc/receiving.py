"""Repairs of aiortc: frames leave the jitter buffer when they are complete; machines without a network use loopback."""

from __future__ import annotations

import logging

import aioice.ice
import aiortc
from aiortc import rtcrtpreceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket

TESTED_VERSIONS = ("1.16.0",)
"""Versions of aiortc whose jitter buffer `MarkerJitterBuffer` was written for."""
LOOPBACK = "127.0.0.1"

_log = logging.getLogger(__name__)
_gathered_addresses = aioice.ice.get_host_addresses


class MarkerJitterBuffer(JitterBuffer):
    """Returns a video frame with its last packet, which carries the RTP marker.

    aiortc's own buffer returns a frame with the first packet of the next one: one frame interval later.
    """

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Store a packet; return whether a key frame must be requested, and the first frame if it is complete."""
        keyframe_needed, frame = super().add(packet)
        if frame is None and self._is_video and packet.marker:
            frame = self._take_until_marker()
        # Packets of padding alone, which browsers send after a frame, are no frame: the decoder would end.
        return keyframe_needed, frame if frame is not None and frame.data else None

    def _take_until_marker(self) -> JitterFrame | None:
        data: list[bytes] = []
        for count in range(self._capacity):
            packet = self._packets[((self._origin or 0) + count) % self._capacity]
            if packet is None:
                return None
            data.append(packet._data)  # type: ignore[attr-defined]  # noqa: SLF001 - set by aiortc's receiver
            if packet.marker:
                self.remove(count + 1)
                return JitterFrame(data=b"".join(data), timestamp=packet.timestamp)
        return None


def host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    """Return the addresses of this machine for ICE: those aioice finds, else loopback."""
    return _gathered_addresses(use_ipv4, use_ipv6) or [LOOPBACK]


def repair_aiortc() -> bool:
    """Install the repairs in aiortc; return whether its version is known, otherwise leave the receiver as it is."""
    aioice.ice.get_host_addresses = host_addresses
    if aiortc.__version__ not in TESTED_VERSIONS:
        _log.warning("aiortc %s is not known: frames arrive one frame interval late.", aiortc.__version__)
        return False
    vars(rtcrtpreceiver)["JitterBuffer"] = MarkerJitterBuffer  # what its receivers construct
    return True
