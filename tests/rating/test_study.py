"""The folder of a study, and its key."""

import hashlib
import json
from pathlib import Path

import pytest
from rated import made

from upscale.errors import InputError, UsageError
from upscale.rating.key import key_beside, read_key
from upscale.rating.study import read_study


def test_the_manifest_names_no_system_and_the_key_lies_apart(tmp_path: Path) -> None:
    study, key = made(tmp_path)
    manifest = (study.folder / "manifest.json").read_text()
    assert not any(word in manifest for word in ("bicubic", "srgan", "HR", "p0", "set5"))
    assert [path.name for path in tmp_path.glob("*.json")] == ["study.key.json"]
    assert list(study.folder.glob("**/*key*")) == []
    assert key_beside(study.folder) == tmp_path / "study.key.json"
    assert study.identity == hashlib.sha256(manifest.encode()).hexdigest()[:16] == key.study


def test_trials_are_counted_with_repeats(tmp_path: Path) -> None:
    # 4 pictures by 4 systems, and 4 · 3 / 2 pairs of each.
    assert made(tmp_path / "a")[0].trials == 4 * 4 + 3
    assert made(tmp_path / "b", mode="pairs")[0].trials == 4 * 6 + 3


def test_a_changed_picture_is_found(tmp_path: Path) -> None:
    study, _ = made(tmp_path)
    study.check()
    first, last = study.file(study.pictures[0]), study.file(study.calibration[-1].best)
    first.write_bytes(study.file(study.pictures[1]).read_bytes())
    with pytest.raises(InputError, match=first.name) as caught:
        study.check()
    assert caught.value.code == "changed"
    first.unlink()
    with pytest.raises(InputError, match=first.name):
        study.check()
    assert last.exists()


def test_what_is_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=str(tmp_path)):
        read_study(tmp_path)
    study, _ = made(tmp_path)
    path = study.folder / "manifest.json"
    good = json.loads(path.read_text())
    outside = [{**good["pictures"][0], "name": "../../etc/passwd"}]
    for bad in (
        *("", "[]", "{}", '{"kind": "rating study", "version": 1}'),
        json.dumps({**good, "mode": "other"}),
        json.dumps({**good, "pictures": outside}),
        json.dumps({**good, "version": 2}),
    ):
        path.write_text(bad)
        with pytest.raises(InputError, match=r"manifest\.json"):
            read_study(study.folder)


def test_the_key_of_another_study_is_refused(tmp_path: Path) -> None:
    study, _ = made(tmp_path / "a")
    made(tmp_path / "b")
    with pytest.raises(InputError, match=r"b/study\.key\.json") as caught:
        read_key(tmp_path / "b" / "study.key.json", study)
    assert caught.value.code == "changed"
    with pytest.raises(InputError, match=r"none\.json"):
        read_key(tmp_path / "none.json", study)
    with pytest.raises(InputError, match=r"manifest\.json"):
        read_key(study.folder / "manifest.json", study)
