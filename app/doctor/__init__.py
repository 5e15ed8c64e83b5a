"""Checks of this machine: what the program needs, what is missing, and how to fix it."""

from app.doctor.checks import check_output, run_checks
from app.doctor.finding import Finding, State
from app.doctor.system import System

__all__ = ["Finding", "State", "System", "check_output", "run_checks"]
