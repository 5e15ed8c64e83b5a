"""The choice between standard and fine quality, its download, and what it says of this computer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from app.core.settings import MattingSettings
from app.core.threads import usable_cores
from app.core.weights import install_weights
from app.gui import services
from app.gui.application import Session
from app.gui.panels.models import SAMPLE, Models, QualityChoice, Sample
from app.gui.preview.rendering import from_qimage
from app.gui.tasks import Tasks
from app.matting.choice import hardware
from app.matting.choice.choice import Trial, save_trials
from app.matting.choice.governor import LIGHTER_WORK
from app.media.image_file import read_image
from models.table import BUNDLED
from tests.gui.conftest import MODELS, STANDARD, Downloads
from tests.gui.widgets import bring_up, button, existing, find, made_store, settle

FINE = "rvm-mobilenetv3"


def pressed(session: Session) -> list[str]:
    """Return which of the buttons are pressed."""
    return [name for name in ("Standard", "Fine") if button(session, f"quality{name}").isChecked()]


def about(session: Session) -> str:
    return find(session.window, QLabel, "qualityAbout").text()


def opened(session: Session, qtbot: QtBot) -> None:
    bring_up(session, session.window.panel.quality_choice)
    qtbot.waitUntil(lambda: about(session) != "")


def choose_file(session: Session, file: Path) -> None:
    button(session, "fineDownloadFile").click()
    dialog = session.window.findChildren(QFileDialog)[-1]
    dialog.fileSelected.emit(str(file))
    dialog.close()


def test_fine_is_used_once_it_is_downloaded(
    controls: Session, downloads: Downloads, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened(controls, qtbot)
    get, choose = button(controls, "fineDownloadButton"), button(controls, "fineDownloadFile")
    failure = find(controls.window, QLabel, "fineDownloadFailure")
    assert pressed(controls) == ["Standard"] and not get.isVisible()
    own = controls.store.current.matting.replace(model="mattecam", weights=tmp_path / "own.pth")
    controls.store.edit("matting", model=own.model, weights=own.weights)
    button(controls, "qualityFine").click()
    assert about(controls).endswith("Fine is used once it is downloaded.")
    assert pressed(controls) == ["Fine"] and get.isVisible() and get.text() == "Download (15 MB)"
    downloads.fails = True
    downloads.may_end.set()
    get.click()
    qtbot.waitUntil(lambda: "No internet?" in failure.text() and choose.isVisible())
    assert failure.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse, "it names an address"
    button(controls, "fineDownloadAddress").click()
    assert existing(QGuiApplication.clipboard()).text().startswith("https://")
    assert controls.store.saved.matting == own, "the model that could not be downloaded is not saved"
    wrong = tmp_path / "wrong.pth"
    wrong.write_bytes(b"something else")
    with monkeypatch.context() as patched:
        patched.setenv("MATTECAM_DATA_DIR", str(tmp_path))
        patched.setattr(services, "install_weights", install_weights)
        choose_file(controls, wrong)
        qtbot.waitUntil(lambda: "wrong.pth is not the published file" in failure.text())
    assert controls.store.saved.matting == own and choose.isVisible()
    choose_file(controls, tmp_path / "model.pth")
    qtbot.waitUntil(lambda: controls.store.saved.matting.model == FINE)
    assert controls.store.saved.matting.weights is None
    assert pressed(controls) == ["Fine"] and not failure.isVisible() and not choose.isVisible()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_another_choice_during_the_download_is_kept(
    controls: Session, downloads: Downloads, qtbot: QtBot, elsewhere: bool
) -> None:
    opened(controls, qtbot)
    button(controls, "qualityFine").click()
    button(controls, "fineDownloadButton").click()
    qtbot.waitUntil(downloads.began.is_set)
    if elsewhere:
        controls.store.set("matting.model", "u2net")
        downloads.may_end.set()
    else:
        button(controls, "qualityStandard").click()
    assert pressed(controls) == ([] if elsewhere else ["Standard"])
    settle(controls.window.tasks, qtbot)
    assert downloads.ended is elsewhere
    assert controls.store.saved.matting.model == ("u2net" if elsewhere else "auto")


@pytest.mark.parametrize(("model", "automatic", "shown", "standard"), [
    ("auto", "mattecam", ["Standard"], "auto"),
    ("auto", FINE, ["Fine"], "mattecam"),  # the package has it inside
    ("mattecam", FINE, ["Standard"], "mattecam"),
    ("u2net", "mattecam", [], "auto"),
])  # fmt: skip
def test_the_buttons_follow_the_model_in_the_settings(
    controls: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    model: str, automatic: str, shown: list[str], standard: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(services, "fine_quality", lambda settings: replace(STANDARD, automatic=automatic))
    monkeypatch.setattr(services, "models", lambda: tuple(replace(each, path=tmp_path) for each in MODELS))
    opened(controls, qtbot)
    controls.window.models.reload()
    settle(controls.window.tasks, qtbot)
    controls.store.edit("matting", model=model, weights=None)
    assert pressed(controls) == shown
    assert about(controls) == ("Fine uses about half of this computer." if shown else "In use: Objects")
    button(controls, "qualityFine").click()
    assert controls.store.current.matting.model == FINE and pressed(controls) == ["Fine"]
    controls.store.edit("matting", weights=tmp_path / "own.pth")
    button(controls, "qualityStandard").click()
    matting = controls.store.current.matting
    assert (matting.model, matting.weights) == (standard, None)


@pytest.mark.parametrize(("share", "holds_rate", "said"), [
    (None, False, "not measured yet"), (0.0, True, "Recommended: Fine uses a small part"),
    (0.26, True, "about a quarter"),
    (0.49, True, "Recommended: Fine uses about half"), (0.5, True, "Fine uses about half"), (0.4, False, "too slow"),
    (0.99, True, "almost all"),
])  # fmt: skip
def test_the_cost_on_this_computer_is_said_in_words(
    qtbot: QtBot, tasks: Tasks, monkeypatch: pytest.MonkeyPatch, share: float | None, holds_rate: bool, said: str
) -> None:
    found = replace(STANDARD, share=share, holds_rate=holds_rate)
    monkeypatch.setattr(services, "fine_quality", lambda settings: found)
    models = Models(made_store(), tasks)
    made = QualityChoice(models)
    qtbot.addWidget(made)
    models.reload()
    text = find(made, QLabel, "qualityAbout")
    qtbot.waitUntil(lambda: said in text.text())
    assert text.text().startswith("Recommended") is found.recommended


def test_the_cost_is_predicted_from_the_standard_network_until_it_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(hardware, "cuda_cards", lambda: hardware.CudaCards(None))
    monkeypatch.setattr(services, "recommended_model", lambda: MODELS[0])
    settings = MattingSettings()
    assert services.fine_quality(settings).share is None
    save_trials("mattecam", BUNDLED, [Trial("int8", None, 5.0, 8.0), Trial("int8", 1, 7.0, 7.0)])
    found = services.fine_quality(settings)
    assert found.holds_rate, "one thread would not, as fast as it is for the standard network"
    assert found.share == pytest.approx(8.0 / LIGHTER_WORK * 0.03 / usable_cores())
    weights = tmp_path / "rvm.pth"
    weights.write_bytes(b"weights")
    monkeypatch.setattr(services, "recommended_model", lambda: replace(MODELS[0], path=weights))
    save_trials(FINE, weights, [Trial("float32", None, 90.0, 90.0)])
    found = services.fine_quality(settings)
    assert not found.holds_rate and found.share == pytest.approx(90.0 * 0.03 / usable_cores())


def test_the_sample_shows_both_networks(controls: Session, qtbot: QtBot) -> None:
    opened(controls, qtbot)
    picture = read_image(SAMPLE)
    shown = from_qimage(find(controls.window.panel.quality_choice, Sample).grab().toImage())[..., :3]
    halves = [np.array_split(image, 2, axis=1) for image in (cv2.resize(picture, shown.shape[1::-1]), shown)]
    for expected, seen in zip(*halves, strict=True):
        assert np.abs(expected.astype(int) - seen).mean() < 15
    assert np.abs(halves[0][0].astype(int) - halves[0][1]).max() > 60, "it shows a difference"
