# Needs make and a Python from 3.11 to 3.13, nothing else. `make demo ARGS=--once` hands ARGS on.
.POSIX:
.SUFFIXES:

BIN = .venv/bin
ENV = .venv/.installed
SQLFLUFF = .tools/sqlfluff/.installed
AUDIT = .tools/audit/.installed
CHARTS = .tools/bench/.installed
UV = .tools/lock/.installed
DEPLOY = .tools/deploy/.installed
LAB = .tools/notebook/.installed
SPARK = .tools/spark/.installed
PIP = -m pip --disable-pip-version-check install --quiet --quiet
COMPILE = .tools/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --no-strip-extras
ARGS =
PAGES =
SIZE = short

help:
	@echo "make demo   the whole platform on a simulated panel, from nothing"
	@echo "make demo-stream  pushed events through Kafka and a lake beside the small path, from nothing, with equal figures"
	@echo "make up     the platform on your panel; settings come from the environment or .env"
	@echo "make notebook  the notebooks of the pages in JupyterLab, on the data of the demo or of your platform"
	@echo "make spark  an environment with Spark for the job of docs/stream.md and its test; 800 MB, and it needs Java 17"
	@echo "make test   all tests"
	@echo "make test-quick  what each change needs: all but the whole truth world, faults, kills and the browser"
	@echo "make test-slow   the rest of the tests, and the properties"
	@echo "make check  format, lint, types, SQL lint, dbt parse, definitions, locks, documents"
	@echo "make properties  the properties of the log parser alone, on three times as many examples as in the quick tests"
	@echo "make audit  known vulnerabilities in what is installed; asks a service on the network"
	@echo "make bench  what each claim costs, as ratios, in under 10 minutes; SIZE=full takes the big sizes, ARGS='--only NAME' one"
	@echo "make accuracy  precision and recall of sessions against a simulated world's truth"
	@echo "make lock   write the locks anew; make lock ARGS=--upgrade takes newer versions"

demo: $(ENV)
	@$(BIN)/pteroassets demo $(ARGS)

demo-stream: $(ENV)
	@$(BIN)/pteroassets stream demo $(ARGS)

up: $(ENV)
	@$(BIN)/pteroassets up $(ARGS)

notebook: $(ENV) $(LAB)
	@$(BIN)/pteroassets notebook --lab .tools/notebook/bin/jupyter $(ARGS)

test: $(ENV)
	@.ci/tests "quick slow deep" $(ARGS)

test-quick: $(ENV)
	@.ci/tests quick $(ARGS)

test-slow: $(ENV)
	@.ci/tests "slow deep" $(ARGS)

properties: $(ENV)
	@.ci/tests deep $(ARGS)

check: $(ENV) $(SQLFLUFF)
	@.ci/check

audit: $(AUDIT)
	@for lock in requirements/*.txt; do \
		echo "$$lock"; .tools/audit/bin/pip-audit --requirement $$lock --require-hashes --disable-pip || exit 1; \
	done

# Without the network the charts alone are not drawn anew, and the command says so.
bench: $(ENV)
	@$(MAKE) --silent $(CHARTS) || true
	@$(BIN)/python -m benchmarks --size $(SIZE) $(ARGS)

accuracy: $(ENV)
	@$(BIN)/python benchmarks/log_accuracy.py $(ARGS)

# With PAGES=FOLDER every page as a picture, light on a desk and dark on a phone; such a folder has no place in Git.
screenshots: $(ENV)
	@if [ -n "$(PAGES)" ]; then \
		PTEROASSETS_PAGE_PICTURES="$(PAGES)" $(BIN)/pytest tests/end_to_end/slow/test_browser.py -k each_page $(ARGS); \
	else \
		PTEROASSETS_SCREENSHOTS=docs/images $(BIN)/pytest tests/end_to_end/slow/test_browser.py $(ARGS); \
	fi

lock: $(UV)
	@$(COMPILE) $(ARGS) pyproject.toml --extra archive --extra celery --extra stream --group dev --output-file requirements/dev.txt
	@$(COMPILE) pyproject.toml --extra archive --extra celery --extra stream --constraint requirements/dev.txt --output-file requirements/platform.txt
	@for tool in bench build sqlfluff audit deploy lock notebook spark; do \
		$(COMPILE) $(ARGS) requirements/$$tool.in --output-file requirements/$$tool.txt || exit 1; \
	done

install: $(ENV)

tools: $(SQLFLUFF) $(DEPLOY)

spark: $(SPARK)

# The stamps make a second call instant and free of the network. An environment whose Python went away is made anew.
$(ENV): requirements/dev.txt requirements/build.txt pyproject.toml
	@$(BIN)/python -c '' 2>/dev/null || { python=$$(.ci/interpreter) && $$python -m venv --clear .venv; }
	@echo "installing what requirements/dev.txt names into .venv"
	@$(BIN)/python $(PIP) --require-hashes --requirement requirements/dev.txt --requirement requirements/build.txt
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(SQLFLUFF): requirements/sqlfluff.txt
$(AUDIT): requirements/audit.txt
$(CHARTS): requirements/bench.txt
$(UV): requirements/lock.txt
$(LAB): requirements/notebook.txt
$(DEPLOY): requirements/deploy.txt
$(SPARK): requirements/spark.txt
$(SQLFLUFF) $(AUDIT) $(CHARTS) $(UV) $(LAB) $(DEPLOY) $(SPARK):
	@folder=$(@D); tool=$${folder##*/}; echo "installing what requirements/$$tool.txt names into $$folder"; \
	python=$$(.ci/interpreter) && $$python -m venv --clear $$folder && \
	$$folder/bin/python $(PIP) --require-hashes --requirement requirements/$$tool.txt
	@touch $@

clean:
	rm -rf .venv .tools

.PHONY: help demo demo-stream up notebook screenshots test test-quick test-slow properties check audit bench accuracy screenshots lock install tools spark clean
