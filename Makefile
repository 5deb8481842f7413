# make run    the simulated station with its window (headless where there is no display)
# make test   everything, on a fresh machine too
# make check  lint, types, import directions and fast tests, in a minute or two
# make install  leaves .venv/bin/magis-calib working

PYTHON ?= python3
BIN := .venv/bin
PYTEST := QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q -n 2 --dist loadfile
SIMULATION ?= --interval 3
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
export UV_PYTHON_DOWNLOADS ?= never

.PHONY: run test on-screen check install system clean

install: system .venv/installed

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade-strategy only-if-needed -c constraints.txt -e ".[gui,test,dev]"
	touch $@

system:
	@sh packaging/system-libraries.sh

run: install
	$(BIN)/magis-calib --simulate $(SIMULATION)

test: check
	$(PYTEST) -m station
	$(MAKE) --no-print-directory on-screen

# what an operator does, in a real window with a window manager around it
on-screen: install
	@sh packaging/system-libraries.sh xvfb herbstluftwm
	sh packaging/on-a-screen.sh $(BIN)/python -m pytest -q tests/ui/window/test_actions.py tests/ui/window/test_keyboard_alone.py tests/ui/panels/test_looking_back.py

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) -m "not station"

clean:
	rm -rf .venv
