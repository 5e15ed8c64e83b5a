"""Run the teacher once over all images and clips and pack its output: `python -m training.cache`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.packs import Teacher, listed_pictures, pack_all
from training.store import default_cache


def main(
    pictures: Annotated[
        list[Path],
        typer.Option(help="Folder with index.tsv and the pictures it lists; repeatable."),
    ],
    weights: Annotated[Path, typer.Option(help="The teacher: a checkpoint of RVM MobileNetV3.")],
    clips: Annotated[
        Path | None, typer.Option(help="Folder with clips of people, as videos.")
    ] = None,
    clean: Annotated[
        bool, typer.Option("--clean", help="Only pictures with a stated free licence.")
    ] = False,
    cache: Annotated[Path | None, typer.Option(help="Folder for the cache.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads of the teacher.")] = 2,
    device: Annotated[str, typer.Option(help="cpu (OpenVINO) or cuda (torch).")] = "cpu",
) -> None:
    """Run the teacher once over all images and clips; `python -m training.train` learns from the
    result.
    """
    listed = listed_pictures(pictures, clean=clean)
    pack_all(
        cache or default_cache(),
        listed,
        sorted(clips.iterdir()) if clips else [],
        _teacher(weights, threads, device),
    )


def _teacher(weights: Path, threads: int, device: str) -> Teacher:
    if device == "cpu":
        from training.teacher import Teacher as OpenVinoTeacher

        return OpenVinoTeacher(weights, threads)
    from training.torch_teacher import rvm_teacher

    return rvm_teacher(weights, device)


if __name__ == "__main__":
    typer.run(main)
