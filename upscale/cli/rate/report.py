"""``upscale rate report STUDY``: the results of a study."""

from dataclasses import dataclass
from pathlib import Path

from upscale.cli.rate.show import WRITTEN
from upscale.cli.terminal.console import print_table, say, shown
from upscale.errors import UsageError
from upscale.files import make_ready
from upscale.upscaling.options import argument, option, shared
from upscale.upscaling.shared_options import DEBUG

__all__ = ["ReportOptions", "report"]


@dataclass(frozen=True)
class ReportOptions:
    """The options of ``upscale rate report STUDY``."""

    study: Path = argument("STUDY", WRITTEN)
    output: Path | None = option(
        "Folder for the report. Default: report/ in the study.", None, short="-o", metavar="DIR"
    )
    key: Path | None = option(
        "Key of the study. Default: STUDY.key.json beside it.", None, metavar="FILE"
    )
    ratings: tuple[Path, ...] = option(
        "More answers: a file that the page saved, or a folder of such files; may be repeated.",
        (),
        metavar="FILE",
    )
    exclude: tuple[str, ...] = option(
        "Code of a rater to leave out; may be repeated.", (), metavar="CODE"
    )
    unfinished: bool = option("Count raters who have not answered everything.", False)
    debug: bool = shared(DEBUG)


def report(options: ReportOptions) -> None:
    """Report the results of a study: means, differences, and raters who do not count."""
    from upscale.rating.findings.report import write_report
    from upscale.rating.findings.summary import find
    from upscale.rating.findings.text import make_tables
    from upscale.rating.key import key_beside, read_key
    from upscale.rating.ratings import read_ratings
    from upscale.rating.study import read_study

    study = read_study(options.study)
    key = read_key(options.key or key_beside(options.study), study)
    ratings = read_ratings(study, options.ratings)
    codes = {rating.rater for rating in ratings}
    if unknown := sorted(set(options.exclude) - codes):
        raise UsageError(
            f"--exclude {unknown[0]}: is not a rater of this study; raters: "
            f"{', '.join(sorted(codes)) or 'none'}"
        )
    found = find(study, key, ratings, options.exclude, options.unfinished)
    folder = options.output or options.study / "report"
    make_ready(folder)
    write_report(found, key, folder)
    for table in make_tables(found):
        print_table(table)
    say(f"{shown(folder / 'report.md')}: {found.counted} of {len(found.people)} raters count")
