# install, run, test, check, bench, clean: see README.md. `make run SAMPLE=my.csv PORT=9090 LABEL_STUDIO_PORT=8080`
.PHONY: install install-label-studio run test audit check bench clean images try-images fresh-machine compat

# Without its bytecode every process compiles torch and transformers anew, which takes seconds.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
BENCHMARKS := quality committee sampling speed soak
BENCH_ARGS ?= --quick
PYTEST_ARGS ?= -n 3

# What is up to date is left alone: a second run takes a fraction of a second.
INSTALL = @python=$$(sh scripts/find-python.sh) && "$$python" scripts/install.py

install:
	$(INSTALL) development

install-label-studio:
	$(INSTALL) label-studio

run:
	$(INSTALL) runtime $(if $(filter 0,$(SAMPLE)),,label-studio)
	@exec $(BIN)/shortlist start $(if $(filter 0,$(SAMPLE)),,--with-label-studio)

test:
	$(INSTALL) development label-studio
	@END_TESTS_WITH=$$PPID exec $(BIN)/pytest $(PYTEST_ARGS)

check: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python scripts/reference.py --check
	@$(BIN)/python -m benchmarks.shared.tables --check
	@$(BIN)/python scripts/lock.py --check
	@$(BIN)/python scripts/audit.py --if-possible

audit: install
	@$(BIN)/python scripts/audit.py

bench: install
	@mkdir -p runs
	@set -e; for name in $(BENCHMARKS); do \
		$(BIN)/python -m benchmarks.$$name $(BENCH_ARGS) --out runs/$$name.json; \
	done

# Web and worker with docker, podman or buildah; scripts/images.sh says what can be chosen.
images:
	@sh scripts/images.sh

# The built images with docker-compose.yml's own values, from the sample's import to a trained student.
try-images: install install-label-studio
	@$(BIN)/python scripts/try_images.py

# `make run` on a Debian machine as it comes, as root: make fresh-machine MACHINE=trixie
MACHINE ?= bookworm
fresh-machine:
	@sh scripts/fresh_machine.sh $(MACHINE)

# The main job at older and newest releases of Label Studio: make compat RELEASES="1.16.0 newest"
compat: install
	@$(BIN)/python scripts/compat.py $(RELEASES)

clean:
	@rm -rf .venv .venv-label-studio build dist runs machines tests/artefacts .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find model backend benchmarks tests scripts -name __pycache__ -prune -exec rm -rf {} +
	@echo "Removed everything that make builds; the data folder stays"
