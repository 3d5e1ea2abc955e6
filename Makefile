# make           set up .venv and run the embedded edition to results/embedded/report.html
# make cluster   set up .venv with Snakemake's executors for SLURM and Kubernetes
# make test      set up .venv and run the tests
# make quick     set up .venv and run the unit tests
# make docs      write docs/assumptions.md from reference/assumptions.csv
PYTHON ?= python3
CORES ?= $(shell $(PYTHON) -c "import os; print(len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count())")
UV = .venv/bin/uv

.PHONY: run cluster test quick docs lock clean

run: .venv/run.installed
	.venv/bin/snakemake all --cores $(CORES)

test: .venv/test.installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/snakefmt --check Snakefile workflow
	.venv/bin/mypy
	.venv/bin/pytest -n $(CORES) --dist loadfile --no-loadscope-reorder

quick: .venv/test.installed
	.venv/bin/pytest -n $(CORES) --dist loadfile --no-loadscope-reorder tests/unit

docs: .venv/run.installed
	PYTHONPATH=src .venv/bin/python -m lossproof.assumptions --assumptions reference/assumptions.csv --out docs/assumptions.md

$(UV): requirements/uv.txt
	$(PYTHON) -c "import sys; sys.exit('lossproof needs Python 3.11 or newer; set PYTHON=...') if sys.version_info < (3, 11) else None"
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	touch $@

# Bytecode is compiled once here: without it, importing torch costs seconds in every job.
# The package itself comes last, so that scripts run by hand find it; uv builds it from here, without the network.
.venv/run.installed: requirements/run.txt pyproject.toml $(UV)
	$(UV) pip install --quiet --python .venv/bin/python --require-hashes --compile-bytecode -r requirements/run.txt
	$(UV) pip install --quiet --python .venv/bin/python --offline --no-deps --no-build-isolation --editable .
	touch $@

cluster: .venv/cluster.installed

.venv/cluster.installed: requirements/cluster.txt .venv/run.installed
	$(UV) pip install --quiet --python .venv/bin/python --require-hashes --no-deps --compile-bytecode -r requirements/cluster.txt
	touch $@

.venv/test.installed: requirements/test.txt .venv/run.installed
	$(UV) pip install --quiet --python .venv/bin/python --require-hashes --compile-bytecode -r requirements/test.txt
	touch $@

lock: $(UV)
	PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/python requirements/lock.py

clean:
	rm -rf results/embedded results/test figures/embedded figures/test logs .cache/embedded .cache/test
