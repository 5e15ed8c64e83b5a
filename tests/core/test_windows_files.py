"""What Windows says of files: its numbers of errors, names of devices, and files that are open elsewhere.

The errors are those that a Python for Windows raises; on Windows itself the system raises them.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PyQt6.QtCore import QFile

from app.core import files
from app.core.errors import BackgroundError
from app.core.files import names_device, why_not_read, why_not_written, write_private
from app.core.unfinished import move_finished
from app.gui.backgrounds.library import remove_background, rename_background
from app.media.image_file import read_image

ON_WINDOWS = sys.platform == "win32"


@pytest.fixture(autouse=True)
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WINDOWS", True)


def windows_error(
    number: int, path: Path, code: int | None = None, target: Path | None = None
) -> OSError:
    """Return an error as a Python for Windows raises it. code: of Windows; None as of `open`."""
    if ON_WINDOWS:
        name = None if target is None else str(target)
        return OSError(number, os.strerror(number), str(path), code, name)
    error = OSError(number, os.strerror(number), str(path))
    error.winerror = code  # type: ignore[attr-defined, unused-ignore]
    if target is not None:
        error.filename2 = str(target)
    return error


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "file.png"
    made.write_bytes(b"data")
    return made


def test_a_folder_in_place_of_a_file_is_no_lack_of_permission(folder: Path) -> None:
    """The advice was to choose another folder, or to ask for permission to read."""
    error = windows_error(errno.EACCES, folder)

    assert why_not_read(error) == "it is a folder"
    assert why_not_written(error).startswith("a folder has this name")


def test_a_folder_that_cannot_be_listed_is_a_lack_of_permission(folder: Path) -> None:
    assert (
        why_not_read(windows_error(errno.EACCES, folder, 5)) == "you have no permission to read it"
    )


def test_a_file_that_would_replace_a_folder_names_the_folder(file: Path, folder: Path) -> None:
    assert why_not_written(windows_error(errno.EACCES, file, 5, folder)).startswith(
        "a folder has this name"
    )


def test_a_path_through_a_file_is_told_from_one_that_is_not_there(file: Path) -> None:
    error = windows_error(errno.ENOENT, file / "child.png", 3)

    assert why_not_read(error) == "a part of its path is not a folder"
    assert why_not_written(error).startswith("a part of the path is not a folder")


def test_a_path_that_is_not_there_stays_one(tmp_path: Path) -> None:
    assert (
        why_not_read(windows_error(errno.ENOENT, tmp_path / "gone" / "file", 3))
        == "it does not exist"
    )


@pytest.mark.parametrize("code", [32, 33, 1224], ids=["shared", "locked", "mapped"])
def test_a_file_that_another_program_has_open_is_named_so(code: int, file: Path) -> None:
    """The advice was to choose another folder, for lack of permission."""
    error = windows_error(errno.EACCES, file, code)

    assert why_not_read(error) == "another program has it open"
    assert why_not_written(error).startswith("a program has it open; close it there")


@pytest.mark.parametrize("name", ["what?.mp4", "a<b.png", "a|b.mkv"])
def test_a_character_that_no_name_has_is_named(name: str, tmp_path: Path) -> None:
    """It was an error of the disk."""
    error = windows_error(errno.EINVAL, tmp_path / name)

    assert why_not_read(error) == "its name has a character that Windows does not allow"
    assert why_not_written(error).startswith("the name has a character that Windows does not allow")


def test_a_path_that_is_too_long_is_not_taken_for_one_that_is_absent(tmp_path: Path) -> None:
    assert (
        why_not_read(windows_error(errno.ENOENT, tmp_path / "long", 206)) == "its name is too long"
    )


def test_an_error_of_an_open_file_has_its_own_reason() -> None:
    assert why_not_read(OSError(errno.EACCES, "denied", 7)) == "you have no permission to read it"


@pytest.mark.skipif(not ON_WINDOWS, reason="asks Windows itself")
def test_windows_raises_these_errors(file: Path, folder: Path) -> None:
    with pytest.raises(OSError) as of_folder:
        folder.open("rb")
    with pytest.raises(OSError) as through_file:
        (file / "child").open("rb")
    with pytest.raises(OSError) as over_folder:
        write_private(folder, b"data")

    assert why_not_read(of_folder.value) == "it is a folder"
    assert why_not_read(through_file.value) == "a part of its path is not a folder"
    assert why_not_written(over_folder.value).startswith("a folder has this name")


def test_a_folder_with_the_name_of_an_image_is_called_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "photo.png"
    folder.mkdir()

    with pytest.raises(BackgroundError, match="is a folder; choose an image in it"):
        read_image(folder)


@pytest.mark.parametrize("name", ["con", "AUX", "nul.png", "com1", "LPT¹.jpg", "con .png"])
def test_a_background_gets_no_name_of_a_device(name: str, file: Path) -> None:
    """The disk was said to report an error."""
    with pytest.raises(
        BackgroundError, match=r"Windows keeps the name .* for a device; choose another name"
    ):
        rename_background(file, name)

    assert file.read_bytes() == b"data"


@pytest.mark.parametrize("name", ["icon", "console", "com10", "auxiliary.png", "my con"])
def test_names_that_only_look_alike_are_names(name: str) -> None:
    assert not names_device(name)


def test_a_name_is_no_device_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WINDOWS", False)

    assert not names_device("con")


def test_a_dot_at_the_end_is_no_part_of_a_name(file: Path) -> None:
    assert rename_background(file, " beach. ") == file.with_name("beach.png")


def test_a_background_gets_capital_letters_where_the_system_does_not_tell_them_apart(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was refused: the name was said to exist."""
    if not ON_WINDOWS:
        os.link(file, file.with_name("FILE.png"))  # stands for the other name of the same file

    assert rename_background(file, "FILE").name == "FILE.png"


@contextmanager
def open_for_a_moment(
    path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> Iterator[list[Path]]:
    """Refuse to replace a file so many times, as while a virus scanner reads it; yield what was tried."""
    tries: list[Path] = []
    replace = Path.replace

    def refusing(self: Path, target: Path) -> Path:
        tries.append(target)
        if len(tries) <= refusals:
            raise windows_error(errno.EACCES, self, 5, target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refusing)
    yield tries


def test_a_file_that_is_open_elsewhere_for_a_moment_is_replaced(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_for_a_moment(file, monkeypatch, refusals=2) as tries:
        write_private(file, b"new")

    assert file.read_bytes() == b"new"
    assert tries == [file] * 3


def renames_refused_once(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Refuse the first time that something is renamed; return the names that are tried."""
    tries: list[Path] = []
    rename = Path.rename

    def refusing(self: Path, target: Path) -> Path:
        tries.append(target)
        if len(tries) == 1:
            raise windows_error(errno.EACCES, self, 32, target)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refusing)
    return tries


def test_a_background_is_renamed_once_its_thumbnail_is_made(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was refused while another thread read it, and the strip kept the old name."""
    tries = renames_refused_once(monkeypatch)

    renamed = rename_background(file, "sand")

    assert renamed.read_bytes() == b"data"
    assert tries == [renamed, renamed]


def test_settings_that_are_open_for_a_moment_are_kept_under_their_other_name(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virus scanner that read them kept those of the next version from being written."""
    kept = file.with_name("old.png")
    tries = renames_refused_once(monkeypatch)

    write_private(file, b"new", kept=kept)

    assert (file.read_bytes(), kept.read_bytes()) == (b"new", b"data")
    assert tries == [kept, kept, file]


def test_a_folder_of_images_gets_its_name_once_they_are_closed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was converted stayed under its unfinished name while the search index read an image."""
    final = folder.with_name("frames")
    tries = renames_refused_once(monkeypatch)

    move_finished(folder, final, overwrite=False)

    assert final.is_dir()
    assert tries == [final, final]


def test_a_background_goes_to_the_trash_once_it_is_closed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def refusing(name: str) -> tuple[bool, str]:
        tries.append(name)
        if len(tries) == 1:
            return False, ""
        Path(name).unlink()
        return True, ""

    monkeypatch.setattr(QFile, "moveToTrash", refusing)

    remove_background(file)

    assert not file.exists()
    assert len(tries) == 2


def test_a_file_that_stays_open_elsewhere_is_kept(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "HELD_S", 0.0)

    with open_for_a_moment(file, monkeypatch, refusals=99), pytest.raises(PermissionError):
        write_private(file, b"new")

    assert file.read_bytes() == b"data"
    assert list(file.parent.iterdir()) == [file]
