"""Drawings, text and screenshots, rendered by ourselves: HR pictures of (SIDE, SIDE, 3), uint8.

Rendered at twice the size and reduced by area, so that lines are smooth but as sharp as can be.
"""

import glob
import string

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE = 512
OVER = 2
FONTS = sorted(
    path
    for path in glob.glob("/usr/share/fonts/truetype/**/*.ttf", recursive=True)
    if any(
        name in path
        for name in (
            "DejaVu",
            "Liberation",
            "NotoSans-",
            "NotoSerif-",
            "NotoMono",
            "NotoSansMono",
            "lato",
            "open-sans",
            "comic",
        )
    )
)
TEXT = (
    "the of and to in is was for on that with as by it at from his are be this which were has had "
    "an not or but its they also one their first who been have two her other time new after made "
    "Open File Edit View Help Save Cancel Settings Search Account Download Upload Share Reply "
    "Photo Camera January Monday Total Price Order Street Museum River Mountain Quality Picture "
    "Straße Übung façade naïve übergroß können Größe 2024 1,299.00 € $45.99 10:30 100% v2.1 #12"
)
WORDS = TEXT.split()


def _colour(r, low=0, high=256):
    return tuple(int(x) for x in r.integers(low, high, 3))


def _palette(r):
    """A few colours that go together: a hue range, light and dark."""
    hue = r.integers(180)
    hsv = [
        (
            (hue + r.integers(-25, 26) + 90 * r.integers(2)) % 180,
            r.integers(20, 255),
            r.integers(60, 256),
        )
        for _ in range(6)
    ]
    rgb = cv2.cvtColor(np.array([hsv], np.uint8), cv2.COLOR_HSV2RGB)[0]
    return [tuple(int(x) for x in c) for c in rgb] + [(255, 255, 255), (20, 20, 24)]


def _font(r, size):
    return ImageFont.truetype(FONTS[r.integers(len(FONTS))], int(size))


def _words(r, count):
    out = [WORDS[i] for i in r.integers(len(WORDS), size=count)]
    if r.random() < 0.2:
        out = [
            "".join(r.choice(list(string.ascii_letters + string.digits), r.integers(2, 9)))
            for _ in out
        ]
    return " ".join(out)


def _curve(r, side, wander):
    """A smooth curve through some points, as a list of (x, y)."""
    n = int(r.integers(3, 7))
    points = np.cumsum(np.vstack([r.uniform(0, side, 2), r.normal(0, wander, (n, 2))]), 0)
    t = np.linspace(0, n, n * 24)
    base = np.arange(n + 1)
    xy = np.stack([np.interp(t, base, points[:, i]) for i in (0, 1)], 1).astype(np.float32)
    k = cv2.getGaussianKernel(31, 9)[:, 0]
    pad = np.pad(xy, ((15, 15), (0, 0)), "edge")
    return np.stack([np.convolve(pad[:, i], k, "valid") for i in (0, 1)], 1)


def _finish(canvas):
    return cv2.resize(np.asarray(canvas), (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def cartoon(r):
    """Flat or slightly graded areas with outlines of varying width."""
    side = SIDE * OVER
    palette = _palette(r)
    image = np.empty((side, side, 3), np.uint8)
    a, b = (np.array(palette[i], float) for i in r.integers(len(palette), size=2))
    if r.random() < 0.5:
        b = a
    ramp = np.linspace(0, 1, side)[:, None, None] * np.ones((1, side, 1))
    image[:] = (a + (b - a) * ramp).astype(np.uint8)
    outline = _colour(r, 0, 60) if r.random() < 0.8 else palette[r.integers(len(palette))]
    width = int(r.integers(2, 9)) * OVER
    for _ in range(r.integers(6, 22)):
        colour = palette[r.integers(len(palette))]
        draw_outline = r.random() < 0.75
        kind = r.integers(4)
        if kind == 0:
            centre = tuple(int(x) for x in r.integers(0, side, 2))
            axes = tuple(int(x) for x in r.integers(10, side // 4, 2))
            angle = int(r.integers(180))
            cv2.ellipse(image, centre, axes, angle, 0, 360, colour, -1, cv2.LINE_AA)
            if draw_outline:
                cv2.ellipse(image, centre, axes, angle, 0, 360, outline, width, cv2.LINE_AA)
        elif kind == 1:
            n = int(r.integers(3, 9))
            angles = np.sort(r.uniform(0, 2 * np.pi, n))
            radii = r.uniform(20, side // 4, n)
            p = (
                r.uniform(0, side, 2)
                + np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None]
            )
            cv2.fillPoly(image, [p.astype(np.int32)], colour, cv2.LINE_AA)
            if draw_outline:
                cv2.polylines(image, [p.astype(np.int32)], True, outline, width, cv2.LINE_AA)
        elif kind == 2:
            p = _curve(r, side, side / 8).astype(np.int32)
            cv2.fillPoly(image, [p], colour, cv2.LINE_AA)
            if draw_outline:
                cv2.polylines(image, [p], True, outline, width, cv2.LINE_AA)
        else:
            for _ in range(r.integers(1, 5)):
                p = _curve(r, side, side / 10).astype(np.int32)
                cv2.polylines(
                    image, [p], False, outline, max(1, width + int(r.integers(-3, 4))), cv2.LINE_AA
                )
    return _finish(image)


def line_art(r):
    """Pencil or ink on paper: many thin strokes, hatching."""
    side = SIDE * OVER
    paper = np.full((side, side, 3), _colour(r, 225, 256), np.uint8)
    ink = _colour(r, 0, 90)
    for _ in range(r.integers(15, 60)):
        p = _curve(r, side, side / 12).astype(np.int32)
        cv2.polylines(paper, [p], False, ink, int(r.integers(1, 5)) * OVER // 1, cv2.LINE_AA)
    for _ in range(r.integers(0, 6)):
        x, y = r.integers(0, side, 2)
        angle, step, n, length = (
            r.uniform(0, np.pi),
            r.uniform(8, 22),
            int(r.integers(8, 25)),
            r.uniform(40, 200),
        )
        d = np.array([np.cos(angle), np.sin(angle)])
        for i in range(n):
            a = np.array([x, y]) + np.array([-d[1], d[0]]) * i * step + d * r.normal(0, 6)
            b = a + d * length
            cv2.line(
                paper,
                tuple(int(v) for v in a),
                tuple(int(v) for v in b),
                ink,
                int(r.integers(1, 3)) * OVER // 1,
                cv2.LINE_AA,
            )
    return _finish(paper)


def text_page(r):
    """Lines of text of one or several sizes on a plain ground."""
    side = SIDE * OVER
    dark = r.random() < 0.25
    ground = _colour(r, 0, 60) if dark else _colour(r, 215, 256)
    if r.random() < 0.4:
        ground = (20, 20, 22) if dark else (255, 255, 255)
    ink = _colour(r, 180, 256) if dark else _colour(r, 0, 110)
    if r.random() < 0.4:
        ink = (255, 255, 255) if dark else (0, 0, 0)
    canvas = Image.new("RGB", (side, side), ground)
    draw = ImageDraw.Draw(canvas)
    y = int(r.integers(-20, 20))
    while y < side:
        size = int(np.exp(r.uniform(np.log(22), np.log(90)))) * OVER
        font = _font(r, size)
        for _ in range(r.integers(1, 4)):
            draw.text(
                (int(r.integers(-60, 40)), y),
                _words(r, 14),
                fill=ink if r.random() < 0.85 else _colour(r),
                font=font,
            )
            y += int(size * r.uniform(1.15, 1.6))
    return _finish(canvas)


def screenshot(r):
    """Windows, buttons, icons, tables, with small text: an invented user interface."""
    side = SIDE * OVER
    dark = r.random() < 0.35
    palette = _palette(r)
    ground = _colour(r, 15, 60) if dark else _colour(r, 225, 256)
    canvas = Image.new("RGB", (side, side), ground)
    draw = ImageDraw.Draw(canvas)
    ink = (230, 230, 235) if dark else (30, 30, 35)
    size = int(r.integers(26, 52)) * OVER
    font = _font(r, size)
    y = int(r.integers(0, 40))
    while y < side:
        kind = r.integers(5)
        height = int(size * r.uniform(1.5, 2.4))
        if kind == 0:  # a bar
            draw.rectangle((0, y, side, y + height), fill=palette[r.integers(len(palette))])
            draw.text(
                (20, y + height // 5),
                _words(r, 8),
                fill=(255, 255, 255) if r.random() < 0.7 else ink,
                font=font,
            )
        elif kind == 1:  # buttons
            x = int(r.integers(0, 60))
            while x < side:
                w = int(r.integers(size * 2, size * 7))
                fill = palette[r.integers(len(palette))] if r.random() < 0.5 else ground
                draw.rounded_rectangle(
                    (x, y, x + w, y + height),
                    int(r.integers(0, height // 2)),
                    fill=fill,
                    outline=ink if r.random() < 0.5 else palette[0],
                    width=int(r.integers(1, 4)) * OVER,
                )
                draw.text((x + size // 2, y + height // 5), _words(r, 1), fill=ink, font=font)
                x += w + size // 2
        elif kind == 2:  # icons
            for x in range(int(r.integers(0, 40)), side, height + size // 2):
                box = (x, y, x + height, y + height)
                [draw.ellipse, draw.rectangle][r.integers(2)](
                    box,
                    outline=ink,
                    width=int(r.integers(1, 5)) * OVER,
                    fill=palette[r.integers(len(palette))] if r.random() < 0.5 else None,
                )
                draw.line(
                    (
                        x + height // 4,
                        y + height // 2,
                        x + height * 3 // 4,
                        y + int(height * r.random()),
                    ),
                    fill=ink,
                    width=int(r.integers(1, 5)) * OVER,
                )
        else:  # a row of a table or a paragraph
            draw.text(
                (int(r.integers(0, 40)), y + 4),
                _words(r, 12),
                fill=ink if r.random() < 0.7 else palette[r.integers(len(palette))],
                font=font,
            )
            if r.random() < 0.4:
                draw.line(
                    (0, y + height - 2, side, y + height - 2),
                    fill=palette[r.integers(len(palette))],
                    width=int(r.integers(1, 3)) * OVER,
                )
        y += height + int(r.integers(0, size // 2))
    return _finish(canvas)


KINDS = (cartoon, line_art, text_page, screenshot)


def draw(kind: int, seed: int) -> np.ndarray:
    return KINDS[kind](np.random.default_rng([kind, seed]))
