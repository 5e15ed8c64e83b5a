"""Installs generated weights as if they were the published ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.table import NETWORKS
from models.weights import sha256_of, user_folder


def install(weights: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy `weights` into the user's folder under the name of `model`, and return the file."""
    user_folder().mkdir(parents=True, exist_ok=True)
    network = NETWORKS[model]
    file = user_folder() / network.weights.file
    file.write_bytes(weights.read_bytes())
    published = replace(network, weights=replace(network.weights, sha256=sha256_of(file)))
    monkeypatch.setitem(NETWORKS, model, published)
    return file
