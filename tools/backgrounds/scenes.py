"""The bundled backgrounds: eight quiet places; each function always paints the same picture."""

from __future__ import annotations

import cv2
import numpy as np

from tools.backgrounds.paint import (
    COLUMNS,
    HEIGHT,
    ROWS,
    WIDTH,
    Colour,
    Picture,
    Point,
    blur,
    frond,
    glow,
    gradient,
    leaf,
    mix,
    noise,
    polygons,
    rgb,
    smoothstep,
    vignette,
)


def studio() -> Picture:
    """A seamless paper backdrop, lit from the upper left."""
    wall = gradient(
        [(0, rgb("#8b8f8a")), (0.7, rgb("#a3a59e")), (0.8, rgb("#b4b4ab")), (1, rgb("#c4c2b8"))],
        ROWS / HEIGHT,
    )
    picture = mix(wall, rgb("#f3efe6"), glow((WIDTH * 0.42, HEIGHT * 0.40), 720, 1.1) * 0.68)
    corner = np.hypot((COLUMNS - WIDTH * 0.42) / WIDTH, (ROWS - HEIGHT * 0.42) / HEIGHT * 0.8)
    picture = mix(picture, rgb("#4f5652"), smoothstep(0.18, 0.95, corner) * 0.72)
    return picture + noise(11, 500, 3)[..., None] * 0.006


def _soft(picture: Picture, sigma: float) -> Picture:
    """Slightly out of focus, as a wall behind a person is."""
    return np.dstack([blur(picture[..., channel], sigma) for channel in range(3)])


def bokeh() -> Picture:
    """Lights of a town at night, far out of focus."""
    generator = np.random.default_rng(5)
    picture = gradient(
        [(0, rgb("#0d1526")), (0.55, rgb("#1d2740")), (1, rgb("#0c111d"))], ROWS / HEIGHT
    )
    picture = mix(picture, rgb("#4a3340"), glow((WIDTH * 0.5, HEIGHT * 0.62), 900, 2.2) * 0.7)
    palette = [
        rgb(c)
        for c in ("#ffb454", "#ff8a3d", "#ffd9a0", "#ff6a4d", "#7fb8ff", "#fff1d6", "#e88bb0")
    ]
    weights = np.array([5, 4, 5, 2, 2, 3, 1.0])
    for softness, count, sizes in ((26, 26, (70, 130)), (9, 42, (38, 80)), (4, 46, (14, 40))):
        layer = np.zeros_like(picture)
        for _ in range(count):
            centre = (
                generator.uniform(-60, WIDTH + 60),
                generator.normal(HEIGHT * 0.58, HEIGHT * 0.20),
            )
            radius = generator.uniform(*sizes)
            colour = palette[generator.choice(len(palette), p=weights / weights.sum())]
            light = _disc(centre, radius) * generator.uniform(0.10, 0.42)
            layer += light[..., None] * np.array(colour, np.float32)
        layer = _soft(layer, softness)
        picture = 1 - (1 - picture) * (1 - np.clip(layer, 0, 1))
    return vignette(picture, 0.5)


def _disc(centre: Point, radius: float) -> Picture:
    distance = np.hypot(COLUMNS - centre[0], ROWS - centre[1])
    inside = 1 - smoothstep(radius - 2, radius + 2, distance)
    return inside * (0.72 + 0.28 * smoothstep(radius * 0.55, radius, distance))


def hills() -> Picture:
    """Ridges one behind the other after sunset."""
    picture = gradient(
        [
            (0, rgb("#27345c")),
            (0.25, rgb("#5a5a8c")),
            (0.43, rgb("#b97f94")),
            (0.55, rgb("#f0a987")),
            (0.66, rgb("#ffd9a8")),
        ],
        ROWS / HEIGHT,
    )
    picture = mix(picture, rgb("#fff0cf"), glow((WIDTH * 0.64, HEIGHT * 0.60), 420, 1.5) * 0.75)
    band = 1 - smoothstep(0.10, 0.22, np.abs(ROWS / HEIGHT - 0.36))
    cloud = smoothstep(0.0, 0.75, noise(3, 620, 5, 0.16) + 0.2) * band
    picture = mix(picture, rgb("#f6b79a"), cloud * 0.42)
    far, near = np.array(rgb("#b98fa0")), np.array(rgb("#141c30"))
    for number in range(6):
        t = number / 5
        ridge = _ridge(number, HEIGHT * (0.57 + 0.40 * t**1.25), 46 + 95 * t, 560 - 160 * t)
        mask = smoothstep(-1.2, 1.2, ROWS - ridge[None, :])
        colour = far * (1 - t**0.75) + near * t**0.75
        haze = np.exp(-np.clip(ROWS - ridge[None, :], 0, None) / (90 + 120 * t))
        layer = mix(
            np.ones_like(picture) * colour.astype(np.float32) * 0.86,
            tuple(colour * 1.10),
            haze.astype(np.float32),
        )
        picture = mix(picture, layer, mask)
    return picture


def _ridge(seed: int, base: float, height: float, length: float) -> Picture:
    generator = np.random.default_rng(40 + seed)
    line = np.zeros(WIDTH, np.float32)
    for octave in range(6):
        points = generator.standard_normal(int(WIDTH / length * 2**octave) + 5).astype(np.float32)
        line += cv2.resize(points[None], (WIDTH, 1), interpolation=cv2.INTER_CUBIC)[0] / 2.1**octave
    return base - line * height * 0.8


def bookshelf() -> Picture:
    """A wall of books, out of focus, in the light of a lamp."""
    generator = np.random.default_rng(8)
    palette = [
        rgb(c)
        for c in (
            "#6b3a34",
            "#2c4451",
            "#b5a686",
            "#3d5145",
            "#80603f",
            "#45415a",
            "#c4bcae",
            "#5c666d",
            "#8c5242",
            "#2b2e34",
        )
    ]
    picture = np.ones((HEIGHT, WIDTH, 3), np.float32) * np.array(rgb("#20160f"), np.float32)
    shelf_height, board = 330, 26
    for top in range(-90, HEIGHT, shelf_height):
        x = -30.0
        while x < WIDTH:
            x = _books(picture, generator, palette, x, top, shelf_height - board)
        below = ROWS - top
        down_board = (below - shelf_height + board) / board
        wood = gradient(
            [(0, rgb("#8a5f3a")), (0.3, rgb("#6b4526")), (1, rgb("#3c2413"))], down_board
        )
        on_shelf = (below >= 0) & (below < shelf_height)
        picture = mix(picture, wood, (on_shelf & (down_board >= 0)).astype(np.float32))
        shadow = 0.55 * np.exp(-np.clip(below - 4, 0, None) / 55) * on_shelf
        picture = picture * (1 - shadow)[..., None]
    for x in (WIDTH * 0.335, WIDTH * 0.74):
        picture = mix(picture, rgb("#5a3a20"), (np.abs(COLUMNS - x) < 17).astype(np.float32))
    picture = _soft(picture, 11)
    lamp = 0.60 + 0.70 * glow((WIDTH * 0.80, HEIGHT * 0.30), 900)
    return vignette(picture * lamp[..., None] * np.array((1.08, 0.98, 0.84), np.float32), 0.35)


def _books(
    picture: Picture,
    generator: np.random.Generator,
    palette: list[Colour],
    x: float,
    top: int,
    room: int,
) -> float:
    """One group of books side by side, or a gap; returns where the next begins."""
    if generator.uniform() < 0.06:
        return x + generator.uniform(40, 150)
    colour = np.array(palette[generator.integers(len(palette))])
    height = generator.uniform(0.68, 0.93) * room
    for _ in range(generator.integers(1, 4)):
        width = generator.uniform(22, 58)
        left, right = int(max(0, x)), int(min(WIDTH, x + width))
        if right > left:
            shade = np.sin(np.linspace(0.35, np.pi - 0.25, right - left))[None, :, None]
            spine = (colour * generator.uniform(0.85, 1.15) * (0.62 + 0.5 * shade)).astype(
                np.float32
            )
            first, last = (
                max(0, int(top + room - height * generator.uniform(0.97, 1.0))),
                max(0, min(HEIGHT, top + room)),
            )
            picture[first:last, left:right] = spine
            band = first + int(height * generator.uniform(0.12, 0.3))
            picture[band : min(last, band + 12), left:right] = spine * 1.35 + 0.08
        x += width + 1
    return x


def bricks() -> Picture:
    """A white-washed brick wall in sidelong light."""
    generator = np.random.default_rng(21)
    width, height, joint = 150, 52, 7
    row = np.floor((ROWS + 20) / height)
    shifted = COLUMNS + row % 2 * width / 2 + 35
    column = np.floor(shifted / width)
    wobble = noise(4, 60, 3) * 1.8
    in_x, in_y = shifted - column * width, (ROWS + 20) - row * height
    edge = np.minimum(np.minimum(in_x, width - in_x), np.minimum(in_y, height - in_y)) + wobble
    brick = smoothstep(joint / 2 - 1.6, joint / 2 + 2.2, edge)
    tint = generator.standard_normal((64, 64)).astype(np.float32)[
        row.astype(int) % 64, column.astype(int) % 64
    ]
    tone = 0.93 + tint * 0.024 + noise(9, 36, 4) * 0.035 + noise(10, 420, 3) * 0.03
    height_map = brick * 1.4 + noise(12, 9, 3) * 0.30 + noise(13, 40, 2) * 0.35
    slope_x, slope_y = (
        cv2.Sobel(blur(height_map, 1.3), cv2.CV_32F, 1, 0),
        cv2.Sobel(blur(height_map, 1.3), cv2.CV_32F, 0, 1),
    )
    relief = np.clip((slope_x + slope_y * 1.1) * 0.045, -0.20, 0.14)
    tone = tone * (0.86 + 0.14 * brick) + relief
    picture = tone[..., None] * np.array(rgb("#fbf7f1"), np.float32)
    patch = smoothstep(0.35, 0.9, noise(31, 260, 4)) * brick
    picture = mix(picture, picture * np.array((0.93, 0.78, 0.68), np.float32), patch * 0.4)
    light = 0.62 + 0.44 * glow((WIDTH * 0.22, HEIGHT * 0.10), 1250)
    return _soft(
        vignette(picture * light[..., None] * np.array((1.02, 1.0, 0.96), np.float32), 0.25), 1.3
    )


def slats() -> Picture:
    """Upright oak slats with the shadow of a palm."""
    generator = np.random.default_rng(14)
    pitch, gap = 64, 13
    number = np.floor(COLUMNS / pitch)
    across = COLUMNS - number * pitch
    tint = generator.standard_normal(40).astype(np.float32)[number.astype(int)]
    grain = noise(2, 14, 4, 26) * 0.5 + noise(6, 5, 2, 90) * 0.35
    offset = generator.uniform(-600, 600, 40).astype(np.float32)[number.astype(int)]
    rings = np.sin((across * 0.10 + np.sin((ROWS + offset) / 190) * 1.3 + grain * 1.8) * 2.2)
    tone = 0.74 + tint * 0.035 + grain * 0.055 + rings * 0.022
    on_slat = smoothstep(gap - 1.5, gap + 1.0, across) * (
        1 - smoothstep(pitch - 1.2, pitch + 0.2, across)
    )
    rounding = 1 - 0.20 * np.exp(-(across - gap) / 4.0) - 0.16 * np.exp(-(pitch - across) / 5.0)
    wood = (tone * rounding)[..., None] * np.array(rgb("#dcab74"), np.float32)
    picture = mix(np.ones_like(wood) * np.array(rgb("#2a1e14"), np.float32), wood, on_slat)
    fronds = []
    for angle, length, bend in ((-2.45, 900, -0.7), (-1.95, 980, -0.35), (-2.85, 760, -0.6)):
        fronds += frond((WIDTH * 0.99, HEIGHT * 1.08), angle, length, 15, bend)
    shadow = blur(polygons(fronds), 6)
    light = 0.66 + 0.50 * glow((WIDTH * 0.60, HEIGHT * 0.25), 1150)
    picture = picture * (light * (1 - 0.46 * shadow))[..., None]
    return _soft(vignette(picture * np.array((1.02, 0.99, 0.95), np.float32), 0.3), 1.5)


def waves() -> Picture:
    """Sheets of cut paper, one above the other, each with its shadow."""
    colours = [
        rgb(c)
        for c in (
            "#f3e9dc",
            "#e9d5bd",
            "#d9b99b",
            "#9fb8ad",
            "#6f9a95",
            "#437a7c",
            "#2b5b64",
            "#1b3f4b",
        )
    ]
    fibre = noise(17, 3, 2) * 0.010 + noise(18, 240, 3) * 0.010
    picture: Picture = np.ones((HEIGHT, WIDTH, 3), np.float32) * np.array(colours[0], np.float32)
    picture = mix(picture, rgb("#ffffff"), glow((WIDTH * 0.30, HEIGHT * 0.12), 700) * 0.5)
    x = COLUMNS[0] / WIDTH
    generator = np.random.default_rng(3)
    for number, colour in enumerate(colours[1:]):
        phase = generator.uniform(0, 2 * np.pi, 3)
        edge = HEIGHT * (0.34 + 0.105 * number) + 62 * np.sin(2 * np.pi * (0.85 * x) + phase[0])
        edge = (
            edge
            + 30 * np.sin(2 * np.pi * 1.9 * x + phase[1])
            + 9 * np.sin(2 * np.pi * 3.7 * x + phase[2])
        )
        sheet = smoothstep(-0.8, 0.8, ROWS - edge.astype(np.float32)[None, :])
        shadow = blur(np.roll(sheet, (-9, 5), (0, 1)), 13) * (1 - sheet)
        picture = picture * (1 - 0.42 * shadow)[..., None]
        below = ROWS - edge[None, :]
        inner = 1 + 0.10 * np.exp(-np.clip(below, 0, None) / 6) - 0.08 * smoothstep(0, 260, below)
        picture = mix(
            picture, np.array(colour, np.float32) * inner[..., None].astype(np.float32), sheet
        )
    return picture + fibre[..., None]


def window_light() -> Picture:
    """Late sun through a window, with leaves before it, on a plaster wall."""
    plaster = noise(23, 90, 5) * 0.016 + noise(24, 700, 2) * 0.02
    picture = (
        gradient([(0, rgb("#b9a48f")), (1, rgb("#a08a76"))], ROWS / HEIGHT) + plaster[..., None]
    )
    left, top, pane_width, pane_height, bar, slant = 520.0, 95.0, 250.0, 255.0, 26.0, 0.34
    panes = []
    for column in range(4):
        for row in range(3):
            x, y = left + column * (pane_width + bar), top + row * (pane_height + bar)
            corners = (
                (x, y),
                (x + pane_width, y),
                (x + pane_width, y + pane_height),
                (x, y + pane_height),
            )
            panes.append(
                [
                    (cx + slant * (HEIGHT / 2 - cy) * -0.55, cy + (cx - left) * 0.10)
                    for cx, cy in corners
                ]
            )
    light = blur(polygons(panes), 6)
    generator = np.random.default_rng(2)
    leaves = []
    for _ in range(46):
        foot = generator.uniform(WIDTH * 0.60, WIDTH * 1.0), generator.uniform(-40, HEIGHT * 0.62)
        leaves.append(
            leaf(
                foot,
                generator.uniform(1.2, 2.9),
                generator.uniform(110, 210),
                generator.uniform(18, 34),
                generator.uniform(-0.5, 0.5),
            )
        )
    twigs = [
        leaf((WIDTH * 1.02, HEIGHT * f), 2.6 + 0.2 * f, 760, 4, 0.25) for f in (0.02, 0.22, 0.42)
    ]
    shade = blur(polygons(leaves + twigs), 9)
    light = light * (1 - 0.72 * shade)
    warm = np.array(rgb("#ffdca6"), np.float32)
    picture = picture * 0.74 * (1 + 0.12 * glow((WIDTH * 0.5, HEIGHT * 0.45), 900))[..., None]
    picture = picture + light[..., None] * warm * (0.36 + plaster * 2)[..., None]
    return vignette(picture + blur(light, 120)[..., None] * warm * 0.06, 0.35)


SCENES = {
    "1-soft-studio": studio,
    "2-window-light": window_light,
    "3-white-bricks": bricks,
    "4-oak-slats": slats,
    "5-bookshelf": bookshelf,
    "6-paper-waves": waves,
    "7-dusk-hills": hills,
    "8-evening-lights": bokeh,
}
