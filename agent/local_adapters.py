"""LoRA adapters beside one base in this process: loaded, switched between and unloaded by name.

Nothing is merged, so the base stays what it was, and serves as the reference of each adapter. A
model without adapters is not touched: peft comes in with the first and goes with the last. For one
thread at a time; this module computes nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.errors import AdapterExists, UnknownAdapter


class Adapters:
    """The adapters of a transformers model, whose layers they change in place.

    Args:
        model: A causal model, which callers go on calling themselves.
    """

    def __init__(self, model: Any, device: str) -> None:
        self.active: str | None = None
        self._model = model
        self._device = device
        self._peft: Any = None
        # peft takes names for parts of module paths, where some characters mean something.
        self._keys: dict[str, str] = {}
        self._made = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The names of those loaded, oldest first."""
        return tuple(self._keys)

    def load(self, name: str, folder: Path) -> None:
        """Load an adapter; which one is active stays.

        Raises:
            AdapterExists: If the name is in use.
        """
        if name in self._keys:
            raise AdapterExists(name)
        self._made += 1
        key = f"attune{self._made:06d}"
        self._keys[name] = key
        try:
            self._add(key, str(folder))
        except Exception:
            # Layers come before their weights are read.
            self._drop(name)
            raise
        self._toggle()

    def _add(self, key: str, folder: str) -> None:
        if self._peft is None:
            from peft import LoraConfig, PeftModel

            config = LoraConfig.from_pretrained(folder, inference_mode=True)
            self._peft = PeftModel(self._model, config, adapter_name=key)
        self._peft.load_adapter(folder, adapter_name=key, torch_device=self._device)
        self._peft.eval()

    def unload(self, name: str) -> None:
        """Let an adapter go; where it is active, the base is from then on.

        Raises:
            UnknownAdapter: If there is none of that name.
        """
        if name not in self._keys:
            raise UnknownAdapter(name, self.names)
        if self.active == name:
            self.use(None)
        self._drop(name)

    def _drop(self, name: str) -> None:
        key = self._keys.pop(name)
        if self._peft is None:
            return
        if self._keys:
            if key in self._peft.peft_config:
                self._peft.set_adapter(self._keys[self.active or next(iter(self._keys))],
                                       inference_mode=True)  # fmt: skip
                self._peft.delete_adapter(key)
            self._toggle()
            return
        self._peft.unload()
        self._peft = None

    def use(self, name: str | None) -> None:
        """Have the model answer with an adapter from now on, or as the base.

        Raises:
            UnknownAdapter: If there is none of that name.
        """
        if name is not None and name not in self._keys:
            raise UnknownAdapter(name, self.names)
        if name == self.active:
            return
        self.active = name
        if name is not None:
            self._peft.set_adapter(self._keys[name], inference_mode=True)
        self._toggle()

    def _toggle(self) -> None:
        tuner = self._peft.base_model
        if self.active is None:
            tuner.disable_adapter_layers()
        else:
            tuner.enable_adapter_layers()
