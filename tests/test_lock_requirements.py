"""Reading PyTorch's index into lock entries."""

from __future__ import annotations

import re

import pytest

from tools import lock_requirements

PAGE = "".join(
    f'<a href="/whl/{build}/torch-{version}%2B{build}-{tags}.whl#sha256={digit * 64}">x</a>\n'
    for build, version, tags, digit in [
        ("cu126", "2.13.0", "cp310-cp310-manylinux_2_28_x86_64", "1"),
        ("cu126", "2.13.0", "cp312-cp312-win_amd64", "2"),
        ("cu126", "2.13.0", "cp313-cp313t-win_amd64", "3"),
        ("cu126", "2.13.0", "cp312-cp312-manylinux_2_28_aarch64", "4"),
        ("cu126", "2.12.0", "cp312-cp312-win_amd64", "5"),
        ("cu126", "2.13.0", "cp315-cp315-win_amd64", "6"),
        ("cpu", "2.13.0", "cp312-cp312-manylinux_2_28_x86_64", "7"),
    ]
)


def test_each_file_of_a_cuda_build_becomes_an_entry_for_its_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_requirements, "index_page", lambda build: PAGE)
    linux, windows = lock_requirements.cuda_entries("2.13.0", "cu126", ("linux", "win32"))
    assert linux.startswith("torch==2.13.0+cu126 ; python_version == '3.10' and sys_platform == 'linux'")
    assert linux.endswith("--hash=sha256:" + "1" * 64) and windows.endswith("2" * 64)
    assert "platform_machine == 'AMD64'" in windows
    assert lock_requirements.cuda_entries("2.13.0", "cu126", ("win32",)) == [windows]
    assert lock_requirements.cuda_entries("2.13.0", "cu126", ("linux", "win32"), pythons=(11, 12)) == [windows]
    assert lock_requirements.cpu_entries("2.13.0") == ["torch==2.13.0+cpu \\\n    --hash=sha256:" + "7" * 64]


def test_without_the_index_the_present_entries_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_requirements, "index_page", lambda build: "")
    text = (lock_requirements.LOCKS / "torch-cu126.lock").read_text()
    kept = lock_requirements.cuda_entries("2.13.0", "cu126", ("linux", "win32"))
    assert lock_requirements.HEADER + "\n".join(kept) + "\n" == text
    older = lock_requirements.cuda_entries(lock_requirements.OLDER_VERSION, "cu126", ("linux",), "torch29-cu126")
    assert [re.search(r"== '([\d.]+)'", entry)[1] for entry in older] == ["3.10", "3.11", "3.12"]  # type: ignore[index]
    with pytest.raises(SystemExit, match=r"No hashes of torch 9\.0\+cu126 are known"):
        lock_requirements.cuda_entries("9.0", "cu126", ("win32",))
