"""What the service takes of an offer's SDP."""

from __future__ import annotations

CANDIDATE = "a=candidate:"
END = "a=end-of-candidates"


def count_candidates(sdp: str) -> int:
    """Return the number of addresses in an offer."""
    return sdp.count(CANDIDATE)


def count_media(sdp: str) -> int:
    """Return the number of media sections in an offer."""
    return sum(line.startswith("m=") for line in sdp.splitlines())


def names_certificate(sdp: str) -> bool:
    """Return whether an offer has the fingerprint of a certificate, without which nothing can be encrypted."""
    return any(line.startswith("a=fingerprint:") for line in sdp.splitlines())


def usable_candidates(sdp: str) -> str:
    """Return the offer without addresses that the service cannot use: TCP, and mDNS names of browsers.

    Names cost seconds to resolve and rarely can be. A browser's own checks reach the service and tell its address, so
    that the end of the candidates is left out: the connection waits for such checks.
    """
    lines = sdp.splitlines()
    kept = [line for line in lines if line != END and not (line.startswith(CANDIDATE) and _is_unusable(line))]
    return "\r\n".join(kept) + "\r\n"


def _is_unusable(line: str) -> bool:
    fields = line.split()
    return len(fields) < 6 or fields[2].lower() != "udp" or fields[4].lower().endswith(".local")
