"""Repairs of aiortc: frames leave the jitter buffer when they are complete and can be decoded, within bounds; machines
without a network use loopback.
"""

from __future__ import annotations

import logging

import aioice.ice
import aiortc
from aiortc import rtcdtlstransport, rtcrtpreceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket
from aiortc.utils import uint16_add

from service.webrtc.bounds import BoundedNacks, BoundedRouter, BoundedStatistics, decode_frames, is_key_frame

TESTED_VERSIONS = ("1.16.0",)
"""Versions of aiortc whose jitter buffer `MarkerJitterBuffer` was written for."""
LOOPBACK = "127.0.0.1"
REQUEST_EVERY = 15
"""While a key frame is missing, it is requested again with every so many frames that are left out."""
GIVE_UP_FRAMES = 15
"""A lost packet is waited for until so many later frames have arrived. aiortc waits until its buffer is full, which a
stream of small frames takes 15 seconds for."""

_log = logging.getLogger(__name__)
_gathered_addresses = aioice.ice.get_host_addresses


class MarkerJitterBuffer(JitterBuffer):
    """Returns a video frame with its last packet, which carries the RTP marker.

    aiortc's own buffer returns a frame with the first packet of the next one: one frame interval later. It also returns
    frames that follow a lost one: a decoder fills what they refer to with old content, so that a person who has moved
    shows in two places. Here a key frame must follow a loss.
    """

    _left_out: int | None = 0
    """Frames left out while a key frame is missing; None while none is."""
    _waiting = 0
    """Frames that have arrived since one was returned."""

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Store a packet; return whether a key frame must be requested, and the first frame if it is complete."""
        if self._is_video and self._is_late(packet):
            return False, None
        keyframe_needed, frame = super().add(packet)
        if frame is None and self._is_video and packet.marker:
            frame = self._take_until_marker()
            self._waiting = 0 if frame is not None else self._waiting + 1
            if self._waiting > GIVE_UP_FRAMES:
                self._begin_after(packet)
                keyframe_needed = True
        # Packets of padding alone, which browsers send after a frame, are no frame: the decoder would end.
        if frame is None or not frame.data:
            frame = None
        if not self._is_video:
            return keyframe_needed, frame
        if keyframe_needed:
            self._left_out = 0
        return self._admitted(keyframe_needed, frame)

    def _is_late(self, packet: RtpPacket) -> bool:
        """Return whether a packet was given up; aiortc takes such ones for a new beginning."""
        return self._origin is not None and 0 < uint16_add(self._origin, -packet.sequence_number) <= self._capacity

    def _begin_after(self, packet: RtpPacket) -> None:
        """Forget what has arrived."""
        self.remove(self._capacity)
        self._origin = uint16_add(packet.sequence_number, 1)
        self._waiting = 0

    def _admitted(self, keyframe_needed: bool, frame: JitterFrame | None) -> tuple[bool, JitterFrame | None]:
        """Leave out a frame that cannot be decoded without one that was lost."""
        if frame is None or self._left_out is None:
            return keyframe_needed, frame
        if is_key_frame(frame.data):
            self._left_out = None
            return False, frame
        self._left_out += 1
        return keyframe_needed or self._left_out % REQUEST_EVERY == 1, None

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
        _log.warning(
            "aiortc %s is not known: frames arrive one frame interval late, and what a peer sends is not bounded.",
            aiortc.__version__,
        )
        return False
    names = {
        "JitterBuffer": MarkerJitterBuffer,
        "NackGenerator": BoundedNacks,
        "StreamStatistics": BoundedStatistics,
        "decoder_worker": decode_frames,
    }
    vars(rtcrtpreceiver).update(names)  # what its receivers construct
    vars(rtcdtlstransport)["RtpRouter"] = BoundedRouter
    return True
