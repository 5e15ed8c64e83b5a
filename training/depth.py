"""Deeper networks that begin with the output of a trained one."""

from __future__ import annotations

import torch
from torch import nn

from app.core.errors import UsageError
from models.student.network import Blocks, Context, Residual, StudentNetwork, blocks_of


def deepened(network: StudentNetwork, blocks: Blocks) -> StudentNetwork:
    """Return a network with these residual blocks and with the same output.

    The last normalizations of new blocks scale by 0, so that they add nothing until they are trained. Raises UsageError
    if the network has more blocks.
    """
    before = blocks_of(network.state_dict())
    if before == blocks:
        return network
    if any(old > new for old, new in zip(before, blocks, strict=True)):
        raise other_blocks(before)
    found = StudentNetwork(blocks)
    for name, child in network.named_children():
        if isinstance(child, nn.Sequential) and any(isinstance(part, Residual) for part in child):
            _deepen(child, found.get_submodule(name))
        else:
            found.get_submodule(name).load_state_dict(child.state_dict())
    return found.train(network.training)


def other_blocks(blocks: Blocks) -> UsageError:
    """Return the error for weights with these blocks, which do not fit those of a run."""
    wanted = " ".join(map(str, blocks))
    return UsageError(f"The weights have other residual blocks than this run; give --blocks {wanted}.")


@torch.no_grad()
def _deepen(old: nn.Sequential, new: nn.Module) -> None:
    assert isinstance(new, nn.Sequential)
    parts = list(new)
    if isinstance(old[-1], Context):
        parts.pop().load_state_dict(old[-1].state_dict())
    kept = [part for part in old if not isinstance(part, Context)]
    for at, part in enumerate(parts):
        if at < len(kept):
            part.load_state_dict(kept[at].state_dict())
        else:
            assert isinstance(part, Residual)
            part.get_parameter(f"body.{len(part.body) - 1}.1.weight").zero_()
