"""The options of a run as one frozen value."""

from dataclasses import dataclass
from pathlib import Path

from upscale.errors import UsageError
from upscale.models.choice import AUTO, check_psnr
from upscale.pictures.encoding import Encoding
from upscale.pictures.formats import MAX_PIXELS, WRITABLE, suffix_of
from upscale.upscaling.target import Target, parse_size

__all__ = ["Options"]

MOST_JOBS = 64


@dataclass(frozen=True)
class Options:
    """What ``upscale INPUT…`` is asked for; the field names are the flags' names."""

    inputs: tuple[str, ...]
    output: Path | None = None
    model: str = AUTO
    alpha: float | None = None
    psnr: str | None = None
    scale: float | None = None
    size: str | None = None
    fit: str = "fit"
    long_edge: int | None = None
    megapixels: float | None = None
    tta: bool = False
    back_project: int = 0
    format: str | None = None
    quality: int | None = None
    lossless: bool = False
    strip: bool = False
    to_srgb: bool = False
    lenient: bool = False
    suffix: str | None = None
    name: str | None = None
    recursive: bool = True
    follow_links: bool = False
    overwrite: bool = False
    dry_run: bool = False
    watch: bool = False
    raw: str | None = None
    jobs: int = 3
    tile: int | None = None
    overlap: int | None = None
    device: str = "auto"
    precision: str = "auto"
    max_pixels: int = MAX_PIXELS
    json: bool = False
    report: Path | None = None
    debug: bool = False

    def check(self) -> None:
        """Raise UsageError for what makes no sense, before anything is done."""
        self.target.check()
        self.encoding.check(self.format_suffix)
        if not 1 <= self.jobs <= MOST_JOBS:
            raise UsageError(f"jobs is {self.jobs}; it must lie in 1 to {MOST_JOBS}")
        check_psnr(self.model, self.psnr)
        if self.suffix is not None and self.name is not None:
            raise UsageError("--suffix and --name contradict each other: give one of them")
        if self.watch and "@-" in self.inputs:
            raise UsageError("--watch cannot read a list from standard input again; use @list.txt")
        if self.report is not None and suffix_of(self.report) in WRITABLE:
            raise UsageError(f"{self.report}: the report is no picture; name it something.jsonl")
        ignored = {
            "--dry-run": self.dry_run,
            "--watch": self.watch,
            "--json": self.json,
            "--report": self.report,
            "--format": self.format,
        }
        for word, asked in ignored.items():
            if self.raw is not None and asked:
                raise UsageError(f"--raw and {word} contradict each other: give one of them")
        if self.watch and self.dry_run:
            raise UsageError("--watch and --dry-run contradict each other: give one of them")
        if self.output_is_stream and self.json:
            raise UsageError("-o - and --json would share standard output; use --report FILE")

    @property
    def output_is_stream(self) -> bool:
        """Whether the result goes to standard output, as that of standard input does."""
        return str(self.output) == "-" or (self.output is None and "-" in self.inputs)

    @property
    def target(self) -> Target:
        """The size that is asked for."""
        size = None if self.size is None else parse_size(self.size)
        return Target(self.scale, size, self.fit, self.long_edge, self.megapixels)

    @property
    def encoding(self) -> Encoding:
        """How outputs are saved."""
        return Encoding(self.quality, self.lossless, self.strip)

    @property
    def format_suffix(self) -> str | None:
        """The suffix of ``--format``; None for the input's. Raises UsageError."""
        if self.format is None:
            return None
        suffix = suffix_of(Path(f"picture.{self.format.removeprefix('.')}"))
        if suffix not in WRITABLE:
            known = ", ".join(name[1:] for name in WRITABLE)
            raise UsageError(f"format {self.format!r} is not known: {known}")
        return suffix
