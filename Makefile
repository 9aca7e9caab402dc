# Everything lives in a virtual environment of its own, .venv; PYTHON chooses its interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CXX_FILES := $(filter-out csrc/tests/% csrc/fuzz/%,$(wildcard csrc/*/*.cpp csrc/*/*.hpp csrc/*/*.h)) $(wildcard examples/*.c)
CXX_TESTS := $(wildcard csrc/tests/*.cpp csrc/tests/*.hpp csrc/tests/*.c csrc/fuzz/*.?pp tests/bindings/*.cpp)
GODOT := $(wildcard bindings/godot/*.cpp bindings/godot/*.hpp)
PY_FOLDERS := python tools tests
# What every command needs; all but a Hugging Face judge's PyTorch (`hf`), which is large.
COMMANDS := demo,plot,eval,server,convert
# `parity` adds PyTorch and transformers, for the tests that compare with them.
EXTRAS ?= $(COMMANDS),test,lint

.PHONY: demo demo-vectors test lint format wheel bench evidence verify-vulkan fuzz sanitize soak site interop clean

demo: $(VENV)/.runs
	$(BIN)/llamood demo

test: $(VENV)/.tests
	$(BIN)/pytest $(PYTEST_ARGS)

# The compiler's warnings are errors here: the module is compiled once more, and not installed; the C
# library too, where what it needs is there.
lint: $(VENV)/.tests
	$(BIN)/ruff check $(PY_FOLDERS)
	$(BIN)/ruff format --check $(PY_FOLDERS)
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(CXX_FILES) $(CXX_TESTS) $(GODOT)
	$(BIN)/cmake -S . -B build/lint -DLLAMOOD_WERROR=ON -DCMAKE_BUILD_TYPE=Release \
	    -DLLAMOOD_C=$$(pkg-config --exists nlohmann_json zlib && echo ON || echo OFF) \
	    -DPython_EXECUTABLE=$(abspath $(BIN)/python) \
	    -Dpybind11_DIR=$$($(BIN)/python -m pybind11 --cmakedir)
	$(BIN)/cmake --build build/lint --parallel

format: $(VENV)/.tests
	$(BIN)/ruff check --fix $(PY_FOLDERS)
	$(BIN)/ruff format $(PY_FOLDERS)
	$(BIN)/clang-format -i $(CXX_FILES) $(CXX_TESTS) $(GODOT)

# For machines like this one; build/wheels has it.
wheel: $(VENV)/.runs
	$(BIN)/pip install --quiet -e ".[wheel]" --no-build-isolation
	$(BIN)/python tools/build_wheel.py

# Every bound on speed, and docs/performance.md written anew: some twenty minutes.
bench: $(VENV)/.tests
	$(BIN)/python tools/bench/run.py --write docs/performance.md

# The service among all kinds of clients, killed, and out of disk; exits with 1 where anything is lost.
MINUTES ?= 30
soak: $(VENV)/.tests
	$(BIN)/python tools/soak.py --minutes $(MINUTES) $(SOAK_ARGS)

# Other programs beside llamood, and docs/interop.md written anew: some ten minutes on quiet cores, and
# the first time as many for PyTorch, the peers and llama.cpp's programs, which are built.
interop: $(VENV)/.tests
	$(BIN)/python tools/interop/run.py --write docs/interop.md

# What ships for the demo, measured anew: some ten minutes. What calibrate could choose from, the
# vectors of the attention output and the answers are left out, so that it stays under 2 MB.
DEMO_VECTORS := python/llamood/demo/evs
demo-vectors: $(VENV)/.runs
	$(BIN)/llamood extract demo -o $(DEMO_VECTORS)
	rm -rf $(DEMO_VECTORS)/attn_out $(DEMO_VECTORS)/steering.candidates $(DEMO_VECTORS)/answers.jsonl

# Stopped, it goes on where it was.
evidence: $(VENV)/.tests
	$(BIN)/llamood eval demo -o build/evidence --questions 60 --max-tokens 32 \
	    --judge bundled --judge reading \
	    --without "graded prompt" --without "prompt + vector" --without "random vector" \
	    --without affect
	$(BIN)/python tools/write_evidence.py build/evidence -o docs/evidence.md

# What is promised of every device, on a Vulkan driver: Mesa's, which computes on the processor and
# which ggml takes only where it is asked for, or that of the first GPU. See docs/devices/README.md.
GGML_VK_VISIBLE_DEVICES ?= 0
verify-vulkan: $(VENV)/.tests
	backend=$$($(BIN)/python tools/build_vulkan.py build/vulkan) && \
	    GGML_VK_VISIBLE_DEVICES=$(GGML_VK_VISIBLE_DEVICES) \
	    $(BIN)/python tools/verify_device.py --backend $$backend --rounds 0 -o docs/devices

# Whatever bytes for every reader, RUNS of each, and docs/fuzzing.md written anew: hours. Needs Clang.
RUNS ?= 1000000
fuzz: $(VENV)/.tests
	$(BIN)/python -c "import atheris" 2> /dev/null || $(BIN)/pip install --quiet --no-build-isolation -e ".[fuzz]"
	$(BIN)/python tools/fuzz/run.py --runs $(RUNS) --write docs/fuzzing.md

# The tests in C++ and C under sanitizers: of memory and undefined behaviour, and of threads.
sanitize: $(VENV)/.tests
	LLAMOOD_SANITIZE=all $(BIN)/pytest -m "" tests/c/test_c_sanitizers.py

# The documents as a site, in build/site; a link that leads nowhere ends it.
site: $(VENV)/.site
	$(BIN)/python tools/site/gather.py build/documents
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -f tools/site/mkdocs.yml

clean:
	rm -rf $(VENV) build

# llama-cpp-python is compiled once (about six minutes on two cores) and shared by the build and
# the run: the build finds the one that is installed.
$(VENV)/.llama: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet "scikit-build-core>=0.11" "pybind11>=3.0,<4" cmake ninja
	@echo "Installing llama-cpp-python: compiles llama.cpp the first time, about six minutes."
	$(BIN)/pip install --quiet llama-cpp-python==0.3.36
	touch $@

$(VENV)/.runs: $(VENV)/.llama CMakeLists.txt $(wildcard cmake/*) $(CXX_FILES)
	$(BIN)/pip install --quiet --no-build-isolation -e ".[$(COMMANDS)]"
	touch $@

$(VENV)/.tests: $(VENV)/.runs
	$(BIN)/pip install --quiet --no-build-isolation -e ".[$(EXTRAS)]"
	touch $@

$(VENV)/.site: $(VENV)/.runs
	$(BIN)/pip install --quiet --no-build-isolation -e ".[docs]"
	touch $@
