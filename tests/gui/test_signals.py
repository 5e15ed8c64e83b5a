"""Connections that end with the object they are for."""

from __future__ import annotations

import ast
import gc

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QApplication

from app.gui.widgets.signals import follow
from tests.paths import ROOT


class Sender(QObject):
    changed = pyqtSignal(int)


class Owner(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.itself = self
        """Only the garbage collector deletes a cycle."""


def test_a_connection_ends_with_its_owner_also_in_a_garbage_collection(qapp: QApplication) -> None:
    """The program crashed: the collector had emptied the function that it called while it deleted the owner."""
    sender, seen = Sender(), list[tuple[Owner, int]]()
    owners = [Owner() for _ in range(100)]
    for owner in owners:
        follow(sender.changed, owner, lambda value, owner=owner: seen.append((owner, value)))
    sender.changed.emit(1)
    assert len(seen) == 100
    seen.clear()
    owners.clear()
    del owner
    gc.collect()
    sender.changed.emit(2)
    assert seen == []


def test_a_connection_ends_with_an_owner_that_qt_deletes(qapp: QApplication) -> None:
    sender, seen = Sender(), list[int]()
    parent = QObject()
    follow(sender.changed, QObject(parent), seen.append)
    sender.changed.emit(1)
    parent.deleteLater()
    qapp.sendPostedEvents(parent, 52)  # DeferredDelete
    sender.changed.emit(2)
    assert seen == [1]


def test_no_closure_is_called_when_an_object_is_deleted() -> None:
    for path in (ROOT / "app" / "gui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("destroyed.connect"):
                assert not any(isinstance(argument, ast.Lambda) for argument in node.args), f"{path}:{node.lineno}"
