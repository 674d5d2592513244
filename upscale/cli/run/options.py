"""The options of a run as one frozen value."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from upscale.batch.planning.job import Policy
from upscale.errors import UsageError
from upscale.fleet.shard import Shard
from upscale.models.choice import (
    BEST,
)
from upscale.models.devices import ALL
from upscale.stores.urls import is_url, join
from upscale.upscaling.options import (
    COLOUR,
    FILES,
    MODEL,
    REPORT,
    SIZE,
    SPEED,
    argument,
    option,
    shared,
)
from upscale.upscaling.shared_options import (
    BACK_PROJECT,
    DEBUG,
    DEVICES,
    ENGINE,
    JOBS,
    JSON,
    MAX_PIXELS_IN,
    NETWORK,
    OVERLAP,
    PRECISION,
    PSNR_END,
    REPORT_FILE,
    TTA,
)
from upscale.upscaling.target import Target, parse_size

if TYPE_CHECKING:
    from upscale.pictures.writing.encoding import Encoding

__all__ = ["Options"]

MOST_WORKERS = 64


def _read_tile(word: str) -> int | None:
    if word != "auto" and not word.isdecimal():
        raise ValueError(f"{word!r} is neither auto nor a whole number")
    return None if word == "auto" else int(word)


@dataclass(frozen=True)
class Options:
    """The options of ``upscale INPUT…``; the field names are the flags' names."""

    inputs: tuple[str, ...] = argument(
        "INPUT",
        "A file, a folder, an address such as s3://bucket/folder/, a pattern in quotes, @list.txt "
        "(one path per line), @manifest.csv, or - for standard input.",
    )
    output: str | None = option(
        "File, folder, address, or - for standard output. Default: beside each input.",
        *(None, FILES),
        short="-o",
        metavar="PATH",
    )
    format: str | None = option(
        "Format of outputs: png, jpg, webp, tif, avif or gif. Default: the input's.", None, FILES
    )
    quality: int | None = option("Quality of jpg, webp and avif, 1 to 100.", None, FILES)
    lossless: bool = option(
        "Save webp and avif without loss, as png and tif always are.", False, FILES
    )
    suffix: str | None = option(
        "Ending of each output's name. Default: _x4.", None, FILES, metavar="TEXT"
    )
    name: str | None = option(
        "Name of each output, made of {stem}, {ext}, {scale}, {target}, {model} and {alpha}.",
        *(None, FILES),
        metavar="TEXT",
    )
    on_collision: Policy = option(
        "If two inputs would get the same output: rename (the second gets its extension in its "
        "name), skip or fail.",
        *("rename", FILES),
    )
    recursive: bool = option("Include folders inside folders.", True, FILES)
    follow_links: bool = option("Follow links to folders.", False, FILES)
    overwrite: bool = option("Replace outputs that are not up to date.", False, FILES)
    lenient: bool = option(
        "Accept damaged JPEGs that other viewers show without complaint.", False, FILES
    )
    max_pixels: int = shared(MAX_PIXELS_IN)
    watch: bool = option("Wait for new files and enlarge them until Ctrl-C.", False, FILES)
    shard: Shard | None = option(
        "Make one of N parts of all pictures, from 0/N to N-1/N; auto in a Slurm array, auto/N in "
        "an indexed Kubernetes job.",
        *(None, FILES),
        metavar="I/N",
        read=Shard.of_word,
    )
    raw: str | None = option(
        "Read and write raw rgb24 video frames; WxH is the input's size.",
        *(None, FILES),
        metavar="WxH",
    )
    scale: float | None = option(
        "Factor of enlargement, such as 2 or 2.5. Default: 4.", None, SIZE, short="-s"
    )
    size: str | None = option("Width and height in pixels; see --fit.", None, SIZE, metavar="WxH")
    fit: str = option(
        "Way to reach --size: fit (inside), fill (crops the rest) or stretch.", "fit", SIZE
    )
    long_edge: int | None = option("Length of the longer side in pixels.", None, SIZE)
    megapixels: float | None = option("Size of the output in millions of pixels.", None, SIZE)
    wrap: bool = option(
        "For repeating textures: continue the picture with its opposite side.", False, SIZE
    )
    model: str = shared(NETWORK)
    best: bool = option(
        "Big network for each kind of picture; takes about ten times as long.", False, MODEL
    )
    alpha: float | None = option(
        "Blend from 0 (faithful, PSNR-trained) to 1 (crisp, GAN-trained). Default: 0.9 for srgan "
        "and esrgan; others as they are.",
        *(None, MODEL),
        short="-a",
    )
    psnr: str | None = shared(PSNR_END)
    tta: bool = shared(TTA)
    back_project: int = shared(
        BACK_PROJECT,
        text="Correct the result N times until its bicubic reduction matches the input.",
    )
    to_srgb: bool = option("Convert colours from the picture's profile to sRGB.", False, COLOUR)
    strip: bool = option("Drop EXIF, XMP, IPTC and resolution.", False, COLOUR)
    device: str = shared(DEVICES, panel=SPEED)
    precision: str = shared(PRECISION, default="auto")
    engine: str = shared(ENGINE)
    jobs: int = shared(JOBS, text="Processes that decode and encode.", default=3)
    workers: int | None = option(
        "Processes that share the pictures, and the processor's threads. Default: 1, or as many as "
        "a cluster has room for.",
        *(None, SPEED),
        metavar="N",
        least=1,
        most=MOST_WORKERS,
    )
    cluster: str | None = option(
        "Let a Ray cluster do the work: auto (the one to which this machine belongs), "
        "ray://HOST:10001, or local (start one here).",
        *(None, SPEED),
        metavar="CLUSTER",
    )
    tile: int | None = option(
        "Side of a tile in input pixels, or auto: no tiles if memory allows.",
        *(None, SPEED),
        word="auto",
        read=_read_tile,
    )
    overlap: int | None = shared(OVERLAP)
    dry_run: bool = option(
        "Report the planned work with sizes, time and disk space; write nothing.", False, REPORT
    )
    json: bool = shared(JSON)
    report: str | None = shared(REPORT_FILE)
    debug: bool = shared(DEBUG, panel=REPORT)

    @property
    def output_is_stream(self) -> bool:
        """Whether the result goes to standard output, as that of standard input does."""
        return self.output == "-" or (self.output is None and "-" in self.inputs)

    @property
    def is_streamed(self) -> bool:
        """Whether addresses or a manifest are used, so that not all pictures are known."""
        from upscale.fleet.sources import is_manifest

        at_address = any(map(is_url, filter(None, (*self.inputs, self.output))))
        return at_address or any(map(is_manifest, self.inputs))

    @property
    def receipt(self) -> str | None:
        """The address of the report that marks a part as done, or None."""
        if self.shard is None or self.dry_run:
            return None
        name = f"{self.shard.name}.jsonl"
        if self.report is not None and is_url(self.report):
            return join(self.report, name) if self.report.endswith("/") else self.report
        at_address = self.output is not None and is_url(self.output)
        return join(self.output or "", f".upscale/{name}") if at_address else None

    @property
    def output_path(self) -> Path | None:
        """``output`` as a local file or folder."""
        return None if self.output is None else Path(self.output)

    @property
    def has_devices(self) -> bool:
        """Whether ``--device`` may name several."""
        return self.device == ALL or "," in self.device

    @property
    def first_device(self) -> str:
        """The one device, or the first of several."""
        return "cuda" if self.device == ALL else self.device.split(",")[0]

    @property
    def is_shared(self) -> bool:
        """Whether several workers may share the pictures."""
        return (self.workers or 1) > 1 or self.has_devices or self.cluster is not None

    @property
    def asked(self) -> str:
        """The model's name, or the automatic choice."""
        return BEST if self.best else self.model

    @property
    def target(self) -> Target:
        """The requested size."""
        size = None if self.size is None else parse_size(self.size)
        return Target(self.scale, size, self.fit, self.long_edge, self.megapixels)

    @property
    def encoding(self) -> "Encoding":
        """The encoding of outputs."""
        from upscale.pictures.writing.encoding import Encoding

        return Encoding(self.quality, self.lossless, self.strip)

    @property
    def format_suffix(self) -> str | None:
        """The suffix of ``--format``; None for the input's. Raises UsageError."""
        if self.format is None:
            return None
        from upscale.pictures.formats import WRITABLE, suffix_of

        suffix = suffix_of(Path(f"picture.{self.format.removeprefix('.')}"))
        if suffix not in WRITABLE:
            known = ", ".join(name[1:] for name in WRITABLE)
            raise UsageError(f"format {self.format!r} is not known: {known}")
        return suffix
