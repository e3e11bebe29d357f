"""One call of a language model, as traces and meters see it: which model, how long, what it used.

Used by the chat models themselves (`agent.openai_chat`, `agent.local_chat`). Neither messages nor
answers come here.
"""

from __future__ import annotations

from time import perf_counter
from types import TracebackType

from agent.llm import Completion
from agent.telemetry import Attribute, Kind, ModelUse, current_meter, span

CANCELLED = "cancelled"


class ModelCall:
    """Begins when it is entered; what was used is told by `answered` or `used`.

    Args:
        model: Name that is asked for.
        provider: Whose format of telemetry it is, after OpenTelemetry's conventions.
        server: Host and port that are asked; without one the model is in this process.
        operation: "chat", or "score" where only the likelihood of answers is asked for.
        stream: Whether the answer comes in pieces, which their reader may take in other contexts.
    """

    def __init__(
        self,
        model: str,
        *,
        provider: str,
        server: tuple[str, int] | None = None,
        operation: str = "chat",
        max_tokens: int = 0,
        stream: bool = False,
    ) -> None:
        self._model = model
        self._answered_by = model
        self._input = self._output = 0
        # Whoever ends a stream may do so in another context, so the meter is taken along.
        self._meter = current_meter()
        attributes: dict[str, Attribute] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
        }
        if server is not None:
            attributes |= {"server.address": server[0], "server.port": server[1]}
        if max_tokens:
            attributes["gen_ai.request.max_tokens"] = max_tokens
        if stream:
            attributes["gen_ai.request.stream"] = True
        kind: Kind = "internal" if server is None else "client"
        self._span = span(f"{operation} {model}", attributes, kind, current=not stream)
        self._started = 0.0

    def __enter__(self) -> ModelCall:
        self._started = perf_counter()
        self._span.__enter__()
        return self

    def headers(self) -> dict[str, str]:
        """Return the headers by which the model's server goes on with the trace."""
        return self._span.headers()

    def answered(self, completion: Completion) -> None:
        """Tell of a whole answer."""
        self.used(completion.prompt_tokens, completion.completion_tokens, completion.model)
        reason = "length" if completion.truncated else "stop"
        self._span.set("gen_ai.response.finish_reasons", (reason,))

    def used(self, input_tokens: int, output_tokens: int, model: str | None = None) -> None:
        """Tell how many tokens were used, as far as that is known."""
        self._input, self._output = input_tokens, output_tokens
        self._answered_by = model or self._model

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the call; a stream that nobody listens to any more has not failed."""
        left = kind is not None and issubclass(kind, GeneratorExit)
        self._span.set("gen_ai.response.model", self._answered_by)
        if self._input or self._output:
            self._span.set("gen_ai.usage.input_tokens", self._input)
            self._span.set("gen_ai.usage.output_tokens", self._output)
        if self._meter is not None:
            failed = CANCELLED if left else kind.__name__ if kind is not None else ""
            seconds = perf_counter() - self._started
            self._meter.uses.append(
                ModelUse(self._model, self._input, self._output, seconds, failed)
            )
        if left:
            self._span.__exit__(None, None, None)
        else:
            self._span.__exit__(kind, error, trace)
