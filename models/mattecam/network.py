"""Mattecam's network: recurrent, small enough to bundle, built of dense 3x3 convolutions of few
channels.

On the target CPUs, dense convolutions at 1/8 to 1/32 of the small frame cost less per parameter
than depthwise ones. Most of the network therefore runs at these scales; the layers at 1/2 only
place edges. A second network also sees the empty-background plate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.backbones import LITE_CHANNELS, EfficientNetLite0
from models.blocks import (
    Residual,
    apply_filter,
    conv_norm,
    downsampled,
    fast_guided_filter,
    feature_sizes,
    halve,
)
from models.exchange import NEAR, OTHER, REACH, SAME, DecisionRule, ForgettingRule

# Channels of the trunk's features at 1/16 and 1/32 of the small frame.
LATERAL = 64, 96


class Trunk(nn.Module):
    """EfficientNet-Lite0, pretrained, and a convolution of 1x1 for each of its features."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = EfficientNetLite0()
        c4, c5 = LITE_CHANNELS
        l4, l5 = LATERAL
        self.lateral4 = conv_norm(c4, l4)
        self.lateral5 = conv_norm(c5, l5)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features at 1/16 and 1/32 of a normalized frame (B, 3, H, W), joined at
        1/16.
        """
        return self.finish(self.encoder.begin(x))

    def finish(self, begun: Tensor) -> Tensor:
        """Return the same from what the encoder's `begin` makes of the frame."""
        g4, g5 = self.encoder.finish(begun)
        return joined(self.lateral5(g5), self.lateral4(g4))


def joined(coarse: Tensor, skip: Tensor) -> Tensor:
    """Upsample the coarse features by 2, crop them to the size of `skip`, and concatenate both."""
    x = functional.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
    return torch.cat([x[:, :, : skip.shape[2], : skip.shape[3]], skip], 1)


# Initial bias of the update gate: most of the state is replaced in every frame.
_OPEN = 2.0


class MattecamGRU(nn.Module):
    """Processes half of the channels with a convolutional GRU and passes the others through.

    h = (1 - z) * h + z * tanh(conv([x, r * h])), with the gates r and z from conv([x, h])
    (arXiv 2108.11515, eq. 1). The weights on h are initialized to zero, so that training on
    sequences starts from the result of training on single images. With h = 0 (None) these weights
    have no effect, and their convolutions are skipped.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels // 2
        self.gates = nn.Conv2d(2 * self.channels, 2 * self.channels, 3, padding=1)
        self.candidate = nn.Conv2d(2 * self.channels, self.channels, 3, padding=1)
        with torch.no_grad():
            self.gates.weight[:, self.channels :] = 0
            self.candidate.weight[:, self.channels :] = 0
            assert self.gates.bias is not None
            self.gates.bias[self.channels :] = _OPEN

    def forward(
        self,
        x: Tensor,
        h: Tensor | None,
        keep: Tensor | None,
        frames: int,
    ) -> tuple[Tensor, Tensor]:
        """Return all outputs (B * frames, C, H, W) and the last state (B, C / 2, H, W).

        x: (B * frames, C, H, W), `frames` consecutive frames of each of B streams. h:
        (B, C / 2, H, W), the state before them; None for zeros. keep: (B * frames, 1, H, W) in
        0..1, the share of the state that each frame sees; None for all of it.
        """
        kept, moving = x.chunk(2, 1)
        if frames == 1:
            # Without views of clips, which would become a part of the exported network.
            h = self._step(moving, _kept(h, keep))
            return torch.cat([kept, h], 1), h
        outputs = []
        for number, x_t in enumerate(_frames_of(moving, frames)):
            share = None if keep is None else _frames_of(keep, frames)[number]
            h = self._step(x_t, _kept(h, share))
            outputs.append(h)
        assert h is not None
        return torch.cat([kept, torch.stack(outputs, 1).flatten(0, 1)], 1), h

    def _step(self, x: Tensor, h: Tensor | None) -> Tensor:
        if h is None:
            z = torch.sigmoid(_convolve_new(self.gates, x)[:, self.channels :])
            return z * torch.tanh(_convolve_new(self.candidate, x))
        r, z = torch.sigmoid(self.gates(torch.cat([x, h], 1))).chunk(2, 1)
        candidate = torch.tanh(self.candidate(torch.cat([x, r * h], 1)))
        return h + z * (candidate - h)


def _frames_of(clips: Tensor, frames: int) -> tuple[Tensor, ...]:
    """Return the frames of clips (B * frames, C, H, W) one by one, (B, C, H, W)."""
    return clips.view(-1, frames, *clips.shape[1:]).unbind(1)


def _kept(h: Tensor | None, share: Tensor | None) -> Tensor | None:
    if h is None or share is None:
        return h
    return h * share


def _convolve_new(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    """Return the convolution of [x, 0]."""
    return functional.conv2d(x, convolution.weight[:, : x.shape[1]], convolution.bias, padding=1)


DECISION = DecisionRule()
FORGETTING = ForgettingRule()


def decide(alpha: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    """Limit alpha to what the decisions nearby allow; return it, and the decisions, which are
    `last` in the next frame.

    alpha: (B, 1, h, w) in 0..1. last: the same size, from -1 (background) to 1 (foreground); 0 for
    the first frame.
    """
    rule = DECISION
    foreground = ((mean(alpha, 1) - 0.5 + rule.hysteresis * last) / rule.width + 0.5).clamp(0, 1)
    lowest = mean(-largest(-foreground, rule.band), rule.ramp)
    highest = mean(largest(foreground, rule.band), rule.ramp)
    limited = torch.minimum(torch.maximum(alpha, lowest), highest)
    return limited, 2 * foreground - 1


def largest(x: Tensor, radius: int) -> Tensor:
    """Return the largest value within squares of this radius, (B, C, h, w)."""
    return functional.max_pool2d(x, 2 * radius + 1, 1, radius)


def mean(x: Tensor, radius: int) -> Tensor:
    """Return means over squares of this radius, (B, C, h, w); borders are replicated."""
    padded = functional.pad(x, (radius, radius, radius, radius), mode="replicate")
    return functional.avg_pool2d(padded, 2 * radius + 1, 1)


_COLOURS = 3
# Of the memories at 1/4, 1/8 and 1/16, (B * T, 1, h, w) in 0..1.
Shares = tuple[Tensor, Tensor, Tensor]


def shares_to_keep(image: Tensor, seen: Tensor | None, frames: int) -> tuple[Shares | None, Tensor]:
    """Compare each small frame with the one before it: return what share of the memories to keep,
    and the new `seen`.

    image: (B * frames, 3, H, W) in 0..1, consecutive frames of each of B streams. seen: means of
    the frame before them, (B, 3, h, w). Without it the first frame keeps everything, and None is
    returned for a single one.
    """
    means = halve(halve(image))
    clips = means.view(-1, frames, *means.shape[1:])
    if seen is None and frames == 1:
        return None, clips[:, -1]
    first = clips[:, 0] if seen is None else seen
    before = torch.cat([first[:, None], clips[:, :-1]], 1).flatten(0, 1)
    change = (means - before).abs().amax(1, keepdim=True)
    gone = (change / FORGETTING.change - 1).clamp(0, 1)
    fine = 1 - functional.max_pool2d(gone, 3, 1, 1)
    middle = halve(fine)
    return (fine, middle, halve(middle)), clips[:, -1]


class Context(nn.Module):
    """Gates the channels of the coarsest features by global context."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.features = conv_norm(channels, channels, 1)
        self.weights = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        y: Tensor = self.features(x) * torch.sigmoid(self.weights(x.mean((2, 3), keepdim=True)))
        return y


Network = TypeVar("Network", bound="MattecamNetwork")
# The recurrent states r1, r2, r3 at 1/4, 1/8 and 1/16 of the small frame.
Memories = tuple[Tensor, Tensor, Tensor]
# r1, r2, r3, the last frame at 1/4 (see `models.exchange.ForgettingRule`), and the last decisions
# at the size of the small frame (see `decide`).
State = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
ENCODER = (16, 32, 64, 96, 96)
_DECODER = (16, 32, 48, 64)
# Convolutions of each residual block of the encoder's stages from 1/4 on.
_DEPTHS = ((1,), (2,), (2, 2), (2,))
# Channels at 1/2 of a network with wide layers there.
_WIDE = 32
EPS = 1e-4
# Pixels per side of what a position of the finest features describes.
CELL = 2
# Alpha is the sigmoid's range from this to 1 minus this, stretched to 0..1; a sigmoid alone never
# reaches 0 or 1. Training takes less (`training.step`): most of its pictures are spoilt, so that
# the network is too undecided on others.
ALPHA_MARGIN = 0.04


class MattecamNetwork(nn.Module):
    """Maps a frame and recurrent states to foreground, alpha and new states; same interface as RVM.

    Images are RGB in 0..1, (B, 3, H, W), or (B, T, 3, H, W) for clips of T frames. The states
    r1..r3, `seen` and `decided` belong to one stream at one size; none, or those of
    `initial_state`, start a stream. `forward` runs the whole network; `coefficients` and
    `apply_coefficients` run its stages at small and at full size separately.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, trunk: bool = False, wide: bool = False) -> None:
        """trunk: whether `models.mattecam.network.Trunk` takes the place of the encoder's layers at
        1/16 and 1/32.

        wide: whether the decoder has more channels and a residual block at 1/2, and its own view of
        the frame there.
        """
        super().__init__()
        e1, e2, e3, e4, e5 = ENCODER
        d1, d2, d3, d4 = _DECODER
        # Channels at 1/2: of the decoder, and of the encoder's features that it reads.
        x1 = _WIDE if wide else d1
        f1 = 2 * e1 if wide else e1
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        deviation = torch.tensor(_DEVIATION).view(1, 3, 1, 1)
        self.register_buffer("deviation", deviation, persistent=False)
        self.encode1 = conv_norm(3, e1, 3, 2)
        # Also where a trunk takes their place: random weights of the other layers stay the same.
        self.encode2 = _stage(e1, e2, _DEPTHS[0])
        self.encode3 = _stage(e2, e3, _DEPTHS[1])
        encode4 = _stage(e3, e4, _DEPTHS[2])
        encode5 = _stage(e4, e5, _DEPTHS[3])
        self.trunk = Trunk() if trunk else None
        if not trunk:
            self.encode4 = encode4
            self.encode5 = encode5.append(Context(e5))
        self.decode4 = conv_norm(sum(LATERAL) if trunk else e4 + e5, d4, 1)
        self.memory4 = MattecamGRU(d4)
        self.decode3 = conv_norm(d4 + e3, d3, 3)
        self.memory3 = MattecamGRU(d3)
        self.decode2 = conv_norm(d3 + e2, d2, 3)
        self.memory2 = MattecamGRU(d2)
        self.detail1 = conv_norm(3, f1 - e1, 3, 2) if wide else None
        self.reduce1 = conv_norm(d2, d1, 1)
        self.decode1 = conv_norm(d1 + f1, x1, 3)
        self.refine1 = Residual(x1, 1) if wide else None
        self.project = nn.Conv2d(x1, 4 * CELL**2, 3, padding=1)

    @classmethod
    def for_weights(cls: type[Network], names: Iterable[str]) -> Network:
        """Return a network with the layers that weights of these names belong to, with random
        values.
        """
        layers = {name.split(".")[0] for name in names}
        return cls("trunk" in layers, "detail1" in layers)

    def initial_state(self, batch: int, height_small: int, width_small: int) -> State:
        """Return zero states for streams whose small frame has this size, with the network's
        dtype and device.
        """
        like = self.mean
        _, quarter, eighth, sixteenth = feature_sizes(height_small, width_small)
        r1 = like.new_zeros(batch, self.memory2.channels, *quarter)
        r2 = like.new_zeros(batch, self.memory3.channels, *eighth)
        r3 = like.new_zeros(batch, self.memory4.channels, *sixteenth)
        seen = like.new_zeros(batch, _COLOURS, *quarter)
        decided = like.new_zeros(batch, 1, height_small, width_small)
        return r1, r2, r3, seen, decided

    def forward(
        self,
        src: Tensor,
        *state: Tensor,
        downsample_ratio: float = 1,
    ) -> tuple[Tensor, ...]:
        """Return fgr (B, 3, H, W), pha (B, 1, H, W), both in 0..1, and the new states; clips have T
        after B.

        At a ratio other than 1 the network runs on a frame of floor(H * ratio) by floor(W * ratio),
        and the fast guided filter upsamples its matte.
        """
        flat = src
        frames = 1
        if src.ndim == 5:
            flat = src.flatten(0, 1)
            frames = src.shape[1]
        outputs: tuple[Tensor, ...]
        after: list[Tensor]
        if downsample_ratio == 1:
            matte, *after = self.matte(flat, *state, frames=frames)
            outputs = _finish(flat, matte)
        else:
            small = downsampled(flat, downsample_ratio)
            slope, offset, _, *after = self.coefficients(small, *state, frames=frames)
            outputs = self.apply_coefficients(flat, slope, offset)
        if src.ndim == 5:
            outputs = tuple(x.reshape(-1, frames, *x.shape[1:]) for x in outputs)
        return *outputs, *after

    def coefficients(
        self,
        src_small: Tensor,
        *state: Tensor,
        frames: int = 1,
    ) -> tuple[Tensor, ...]:
        """Run the small-size stage: return A, b, coarse alpha and the new states.

        src_small: (B * frames, 3, h, w) in 0..1. A and b, (B * frames, 4, h, w), map [R, G, B, mean
        of RGB] to [foreground residual, alpha]. The coarse alpha, (B * frames, 1, h, w) in 0..1, is
        the one before the decision stage: strict mode tells people from ghosts by how certain the
        network is.
        """
        undecided, matte, after = self._decided(src_small, state, frames)
        slope, offset = explained(src_small[:, :3], matte)
        return slope, offset, undecided[:, 3:], *after

    def matte(self, src_small: Tensor, *state: Tensor, frames: int = 1) -> tuple[Tensor, ...]:
        """Return [foreground residual (3), alpha in 0..1], (B * frames, 4, h, w), unfiltered,
        and the new states.
        """
        _, matte, after = self._decided(src_small, state, frames)
        return matte, *after

    def _decided(
        self,
        src_small: Tensor,
        state: Sequence[Tensor],
        frames: int,
    ) -> tuple[Tensor, Tensor, State]:
        """Return the matte before and after the decision stage, which runs on consecutive
        frames, and the states.
        """
        undecided, r1, r2, r3, seen = self.undecided_matte(src_small, *state[:4], frames=frames)
        clips = undecided[:, 3:].reshape(-1, frames, 1, *undecided.shape[2:])
        decided = torch.zeros_like(clips[:, 0])
        if len(state) > 4:
            decided = state[4]
        alphas = []
        for alpha in clips.unbind(1):
            alpha, decided = decide(alpha, decided)
            alphas.append(alpha)
        matte = torch.cat([undecided[:, :3], torch.stack(alphas, 1).flatten(0, 1)], 1)
        return undecided, matte, (r1, r2, r3, seen, decided)

    def undecided_matte(
        self, src_small: Tensor, *memories: Tensor, frames: int = 1
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return the matte before the decision stage, (B * frames, 4, h, w), and r1, r2, r3 and
        `seen`.

        memories: these four of the frame before; those that are missing begin.
        """
        before: list[Tensor | None] = [*memories, None, None, None, None]
        r1, r2, r3, seen = before[:4]
        keep, seen = shares_to_keep(src_small[:, :3], seen, frames)
        cells, _, (r1, r2, r3) = self.cells(src_small, r1, r2, r3, frames, keep)
        raw = pixels_of(cells, src_small)
        matte = torch.cat([raw[:, :3], stretched(raw[:, 3:])], 1)
        return matte, r1, r2, r3, seen

    def apply_coefficients(
        self,
        src: Tensor,
        slope: Tensor,
        offset: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Run the full-size stage: return fgr (B, 3, H, W) and pha (B, 1, H, W) in 0..1 for src
        (B, 3, H, W).
        """
        return _finish(src, apply_filter(src, slope, offset))

    def normalized(self, src_small: Tensor) -> Tensor:
        """Return what the first layer gets of the small frame."""
        return (src_small - self.mean) / self.deviation

    def cells(
        self,
        src_small: Tensor,
        r1: Tensor | None,
        r2: Tensor | None,
        r3: Tensor | None,
        frames: int = 1,
        keep: Shares | None = None,
        deep: Tensor | None = None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor, Tensor], Memories]:
        """Return [foreground residual (3), logit of alpha (1)] of 2x2 pixels each, before the
        guided filter.

        (B * frames, 16, ceil(h / 2), ceil(w / 2)), for `pixels_of`.

        Also returns the decoder's features at 1/4, 1/8 and 1/16, those of the encoder that it reads
        at 1/16, and the new states.

        keep: the shares of the memories that each frame sees; None for all. deep: the trunk's
        features at 1/16, if they were computed before.
        """
        keep1, keep2, keep3 = keep or (None, None, None)
        normalized = self.normalized(src_small)
        f1 = self.encode1(normalized)
        f2 = self.encode2(f1)
        f3 = self.encode3(f2)
        if self.trunk is None:
            f4 = self.encode4(f3)
            deep = joined(self.encode5(f4), f4)
        elif deep is None:
            deep = self.trunk(normalized[:, :3])
        x4, r3 = self.memory4(self.decode4(deep), r3, keep3, frames)
        x3, r2 = self.memory3(self.decode3(joined(x4, f3)), r2, keep2, frames)
        x2, r1 = self.memory2(self.decode2(joined(x3, f2)), r1, keep1, frames)
        if self.detail1 is not None:
            f1 = torch.cat([f1, self.detail1(normalized[:, :3])], 1)
        x1 = self.decode1(joined(self.reduce1(x2), f1))
        if self.refine1 is not None:
            x1 = self.refine1(x1)
        cells: Tensor = self.project(x1)
        return cells, (x2, x3, x4, deep), (r1, r2, r3)


def _stage(inputs: int, channels: int, depths: Sequence[int]) -> nn.Sequential:
    """Return a stage of the encoder, which halves the size. depths: of its residual blocks."""
    halving = conv_norm(inputs, channels, 3, 2)
    blocks = [Residual(channels, depth) for depth in depths]
    return nn.Sequential(halving, *blocks)


def pixels_of(cells: Tensor, src_small: Tensor) -> Tensor:
    """Return what `MattecamNetwork.cells` gives for a small frame (B, C, h, w), pixel by pixel,
    (B, 4, h, w).
    """
    pixels = functional.pixel_shuffle(cells, CELL)
    # Cells at the right and lower edge may reach beyond the frame.
    return pixels[:, :, : src_small.shape[2], : src_small.shape[3]]


def stretched(logit: Tensor, margin: float = ALPHA_MARGIN) -> Tensor:
    """Return alpha in 0..1, both ends included, from its logit; margin: see `ALPHA_MARGIN`."""
    return ((torch.sigmoid(logit) - margin) / (1 - 2 * margin)).clamp(0, 1)


def explained(image: Tensor, matte: Tensor) -> tuple[Tensor, Tensor]:
    """Return the fast guided filter's A and b, float32 (B, 4, h, w) (arXiv 1803.05619, section 3).

    Box means are renormalized at the borders. With RVM's zero padding, the matte frays along the
    lower edge of the frame, where people at a webcam are usually cut off.
    """
    slope, offset = fast_guided_filter(image, matte, _mean, EPS)
    return slope.to(matte.dtype), offset.to(matte.dtype)


def _mean(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _finish(image: Tensor, matte: Tensor) -> tuple[Tensor, Tensor]:
    return (image + matte[:, :3]).clamp(0, 1), matte[:, 3:].clamp(0, 1)


FIRST_KERNEL = "encode1.0.weight"
# Of the differences between frame and plate, which are mostly small.
_GAIN = 4.0


class PlateNetwork(MattecamNetwork):
    """`MattecamNetwork` whose small frames have six channels: the frame and its plate, RGB in 0..1.

    With eight channels the last two are `differences`, and the caller limits alpha as `changed`
    says. It runs at the small size only: `matte` and `coefficients`, not `forward`.
    """

    def __init__(self, trunk: bool = False, wide: bool = False) -> None:
        super().__init__(trunk, wide)
        self.encode1 = conv_norm(2 * 3 + 2, ENCODER[0], 3, 2)

    def normalized(self, src_small: Tensor) -> Tensor:
        """See `MattecamNetwork.normalized`: the frame, the plate, and two maps of how much they
        differ.
        """
        frame = src_small[:, :3]
        plate = src_small[:, 3:6]
        if src_small.shape[1] == 6:
            maps = differences(frame, plate)
        else:
            maps = src_small[:, 6:]
        return torch.cat([super().normalized(frame), super().normalized(plate), _GAIN * maps], 1)

    def undecided_matte(
        self, src_small: Tensor, *memories: Tensor, frames: int = 1
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """See `MattecamNetwork.undecided_matte`; alpha is 0 where the frame is the plate all
        around.
        """
        if src_small.shape[1] > 6:
            return super().undecided_matte(src_small, *memories, frames=frames)
        maps = differences(src_small[:, :3], src_small[:, 3:])
        with_maps = torch.cat([src_small, maps], 1)
        matte, r1, r2, r3, seen = super().undecided_matte(with_maps, *memories, frames=frames)
        limited = torch.cat([matte[:, :3], matte[:, 3:] * changed(maps[:, :1])], 1)
        return limited, r1, r2, r3, seen


def differences(frame: Tensor, plate: Tensor) -> Tensor:
    """Return `difference`, and the mean absolute difference of the colours, (B, 2, h, w)."""
    return torch.cat([difference(frame, plate), (frame - plate).abs().mean(1, keepdim=True)], 1)


def difference(frame: Tensor, plate: Tensor) -> Tensor:
    """Return how far the frame is outside the colours of the plate nearby, (B, 1, h, w) in 0..1.

    Both are blurred, and a shift of the plate by up to two pixels counts as no difference.
    """
    smooth = mean(frame, 1)
    smooth_plate = mean(plate, 1)
    highest = largest(smooth_plate, REACH)
    lowest = -largest(-smooth_plate, REACH)
    outside = functional.relu(smooth - highest) + functional.relu(lowest - smooth)
    return outside.amax(1, keepdim=True)


def changed(away: Tensor) -> Tensor:
    """Return 1 near any `difference` and 0 elsewhere: the inside of a person may look like the
    background.
    """
    return ((largest(away, NEAR) - SAME) / (OTHER - SAME)).clamp(0, 1)
