"""The frame step as a CUDA graph: one launch in place of several hundred, which take more time than the GPU needs.

A graph repeats what was launched while it was recorded, in the same memory. It is recorded once nothing but the
contents of the inputs has changed for `SETTLED_STEPS`, and used only if it finds the same as the step itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

from app.matting.torch.core import FrameStep, StepInputs, StepOutput

_log = logging.getLogger(__name__)
SETTLED_STEPS = 15
"""Equal steps before a graph is recorded: a slider that moves would have it recorded all the time."""
TOLERANCE = 0.6
"""Largest mean difference of alpha and of the composite, of 255, from the step: float16 is not exact."""


Recorder = Callable[[Callable[[], StepOutput]], tuple[StepOutput, Callable[[], None]]]
"""Records a step; returns its output and what repeats it into that output."""


def recorded(step: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
    """Record a step as a graph on the current device; see `Recorder`. Raises RuntimeError."""
    current, beside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
    graph = torch.cuda.CUDAGraph()
    beside.wait_stream(current)
    with torch.cuda.stream(beside):
        # Other threads may use the device meanwhile.
        graph.capture_begin(capture_error_mode="thread_local")
        try:
            output = step()
        finally:
            graph.capture_end()
    current.wait_stream(beside)
    return output, graph.replay


class CapturedStep:
    """A recorded step, and the memory that it reads and writes. Used on one thread, under `inference_mode`."""

    def __init__(self, step: FrameStep, inputs: StepInputs, record: Recorder = recorded) -> None:
        """Record the step for inputs of this form. Raises RuntimeError."""
        self.form = inputs.form
        self._edges = inputs.edges  # Its identity is a part of the form.
        self._inputs = inputs._replace(
            frame=inputs.frame.clone(),
            backdrop=inputs.backdrop.clone(),
            state=tuple(map(torch.clone, inputs.state)),
            previous_alpha=None if inputs.previous_alpha is None else inputs.previous_alpha.clone(),
        )
        self._backdrop: Tensor | None = None
        """The backdrop that was copied last."""
        self._output, self._repeat = record(lambda: self._stepped(step))

    def __call__(self, inputs: StepInputs) -> StepOutput:
        """Run the step; its output is overwritten by the next one."""
        kept = self._inputs
        kept.frame.copy_(inputs.frame)
        if inputs.backdrop is not self._backdrop:
            kept.backdrop.copy_(inputs.backdrop)
            self._backdrop = inputs.backdrop
        for mine, new in zip(kept.state, inputs.state, strict=True):
            if mine is not new:
                mine.copy_(new)
        if kept.previous_alpha is not None and kept.previous_alpha is not inputs.previous_alpha:
            assert inputs.previous_alpha is not None
            kept.previous_alpha.copy_(inputs.previous_alpha)
        self._repeat()
        return self._output

    def _stepped(self, step: FrameStep) -> StepOutput:
        """Run the step on the kept inputs, and keep its states for the next one if they are finite."""
        kept = self._inputs
        output: StepOutput = step(kept)
        finite = torch.isfinite(output.finite)
        for mine, new in zip(kept.state, output.state, strict=True):
            mine.copy_(torch.where(finite, new, mine))
        previous = output.previous_alpha
        if kept.previous_alpha is not None and previous is not None:
            kept.previous_alpha.copy_(torch.where(finite, previous, kept.previous_alpha))
            previous = kept.previous_alpha
        return output._replace(state=kept.state, previous_alpha=previous)


class SettledStep:
    """Runs a step, recorded where possible. Used on one thread, under `inference_mode`."""

    def __init__(self, step: FrameStep, record: Recorder = recorded) -> None:
        self._step, self._record = step, record
        self._captured: CapturedStep | None = None
        self._form: tuple[object, ...] = ()
        self._equal_steps = 0
        self._refused = False

    @property
    def captured(self) -> bool:
        """Whether there is a recorded step."""
        return self._captured is not None

    def __call__(self, inputs: StepInputs) -> StepOutput:
        """Run the step; the next one may overwrite its output. Raises RuntimeError."""
        form = inputs.form
        if self._captured is not None and self._captured.form == form:
            return self._captured(inputs)
        self._equal_steps = self._equal_steps + 1 if form == self._form else 1
        self._form = form
        output: StepOutput = self._step(inputs)
        if self._equal_steps > SETTLED_STEPS and not self._refused:
            self._capture(inputs, output)
        return output

    def close(self) -> None:
        """Drop the recorded step and its memory."""
        self._captured = None

    def _capture(self, inputs: StepInputs, right: StepOutput) -> None:
        """Record the step; keep it if it finds the same as the step itself, else never try again."""
        self._captured = None  # its memory serves the next one
        try:
            captured = CapturedStep(self._step, inputs, self._record)
            found = captured(inputs).pixels
            pairs = (found.alpha, right.pixels.alpha), (found.composite, right.pixels.composite)
            differences = [float((one.float() - other.float()).abs().mean()) for one, other in pairs]
        except RuntimeError as error:
            self._refused = True
            _log.warning("The frame step could not be recorded as a CUDA graph.", exc_info=error)
            return
        self._refused = not max(differences) < TOLERANCE
        if self._refused:
            _log.warning("The recorded frame step differs by %s of 255 from the step itself.", differences)
        else:
            self._captured = captured
