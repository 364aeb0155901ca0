# Everything a developer does, from a fresh clone. `make help` lists it.

PYTHON ?= python3
PORT ?= 8000

VENV := .venv
PY := $(VENV)/bin/python
CACHE := .cache
SDIST := $(CACHE)/face_recognition-1.3.0.tar.gz

# A stamp says that a step is done; make repeats it only when what it depends on has changed.
MADE := $(VENV)/.made
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev

# $(call install,ARGUMENTS): uv takes seconds where pip takes half a minute, but can be missing, or
# not know a package index that pip is configured for.
install = if [ -x $(VENV)/bin/uv ] && $(VENV)/bin/uv pip install --quiet --python $(PY) $(1); then :; \
	else echo "make: uv cannot do it here; pip installs the same, more slowly." && $(PY) -m pip install --quiet $(1); fi

# Each run of pytest adds to a file how long its tests took; make test and make test-slow print it.
TIMINGS := $(CACHE)/timings
PYTEST := $(PY) -m pytest --quiet --timings=$(TIMINGS)

# What writes a development site's .env.
define ENV_FILE
from base64 import urlsafe_b64encode
from secrets import token_bytes, token_urlsafe

print(f"DEBUG=true\nSECRET_KEY={token_urlsafe(50)}")
for name in ("ENCRYPTION_KEYS", "TRANSFORM_KEY"):
    print(f"FACEAUTH_{name}={urlsafe_b64encode(token_bytes(32)).decode()}")
endef
export ENV_FILE

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Trust what the system trusts, as pip does.
export UV_SYSTEM_CERTS := true

.PHONY: help run test test-slow test-all stress bench bench-load docs messages format lock dist sbom clean venv dev
.DELETE_ON_ERROR:

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s%s\n", $$1, $$2 }' Makefile

run: $(RUNTIME) .env ## serve the site at http://localhost:8000 (PORT=8001 for another port)
	@echo "make: bringing the database up to date"
	@$(PY) manage.py migrate --verbosity 0
	@echo "make: Django checks the site and starts it: about ten seconds. Then it is at http://localhost:$(PORT); Ctrl-C stops it."
	@$(PY) manage.py runserver $(PORT)

test: $(DEV) ## check style and types, and run the tests, but those of test-slow
	@rm -f $(TIMINGS)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-logo --no-cache
	$(PY) -m codespell_lib
	$(PY) -m djlint --lint --check .
	$(PY) -m tests.support.chromium
	$(PY) -m tests.support.javascript
	$(PYTEST) -n auto -m "not slow"
	$(PYTEST) -n auto -m "postgres and not slow" --database=postgres tests/site tests/shared
	$(PYTEST) --ds=tests.projects.stock.settings tests/stock tests/shared
	$(PYTEST) --ds=tests.projects.stock.settings --database=postgres tests/stock tests/shared
	$(PYTEST) --ds=tests.projects.own.settings tests/own tests/shared
	$(PYTEST) --ds=tests.projects.members.settings tests/members
	$(PYTEST) --ds=tests.projects.allauth.settings -m "not slow" tests/allauth
	$(PYTEST) --ds=tests.projects.otp.settings -m "not slow" tests/otp
	$(PYTEST) --ds=tests.projects.site.pgvector --database=postgres tests/vectors
	@$(PY) -m tests.support.timings $(TIMINGS)

test-slow: $(DEV) ## all other tests: every journey in a browser, robustness, fresh environments, PostgreSQL
	@rm -f $(TIMINGS)
	$(PY) -m tests.support.chromium
	$(PYTEST) -n auto -m slow
	$(PYTEST) -n auto -m "not postgres" --database=postgres tests/site tests/robustness tests/browser/test_login.py
	$(PYTEST) --ds=tests.projects.site.pgvector --database=postgres \
		tests/shared tests/site/test_login.py tests/site/test_adaptation.py tests/site/test_purge.py tests/site/test_rights.py \
		tests/robustness/test_several_servers.py
	$(PYTEST) --ds=tests.projects.members.settings --database=postgres tests/members
	$(PYTEST) --ds=tests.projects.allauth.settings -m slow tests/allauth
	$(PYTEST) --ds=tests.projects.otp.settings -m slow tests/otp
	$(PYTEST) --ds=tests.projects.stock.pgvector --database=postgres tests/stock tests/shared
	@$(PY) -m tests.support.timings $(TIMINGS)

test-all: $(DEV) ## run the tests with every Python and Django that the app is for, as far as they are here
	$(PY) -m nox

stress: $(DEV) ## ten thousand hostile requests, crowds that guess, kills: half an hour of them
	$(PY) -m pytest tests/robustness --stress
	$(PY) -m pytest tests/robustness --stress --database=postgres

bench: $(DEV) ## measure speed against face_recognition, and how long people wait in a browser
	$(PY) -m benchmarks
	$(PY) -m tests.support.chromium
	$(PY) -m benchmarks.journey

bench-load: $(DEV) ## measure how many logins a second two cores carry, against face_recognition, and whether a crowd can stop it: half an hour
	$(PY) -m benchmarks.load
	$(PY) -m benchmarks.crowd

docs: $(DEV) ## write docs/settings.md anew, and build the pages: build/docs/index.html
	$(PY) -m docs
	$(PY) -m sphinx --fail-on-warning --keep-going --quiet docs build/docs

messages: $(DEV) ## collect what is to be translated into the .po files, and compile them
	@command -v msgmerge >/dev/null || { echo "make: this takes GNU gettext. On Debian and Ubuntu: apt-get install gettext" >&2; exit 1; }
	$(PY) manage.py makemessages --settings tests.projects.site.settings --all --no-obsolete --no-wrap --add-location file \
		--ignore tests --ignore benchmarks --ignore docs --ignore examples --ignore build
	@for file in $(wildcard locale/*/*/*.po faceauth/locale/*/*/*.po); do \
		sed '/^"POT-Creation-Date: /d' $$file > $$file.new && mv $$file.new $$file; done
	$(PY) manage.py compilemessages --settings tests.projects.site.settings --ignore $(VENV) --ignore $(CACHE)

format: $(DEV) ## rewrite the code in the house style
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	$(PY) -m djlint --quiet --reformat .

lock: $(DEV) ## write the newest versions and their hashes to requirements.lock
	@echo "# What the site runs on in production: these versions, with the hashes of their files. Made by \`make lock\`." > requirements.lock.new
	@$(PY) -m uv pip compile requirements.txt --upgrade --generate-hashes --universal --python-version 3.11 \
		--no-emit-package faceauth --no-header --no-annotate --quiet --output-file - >> requirements.lock.new
	@mv requirements.lock.new requirements.lock

dist: $(MADE) ## build the package: dist/, with the same bytes each time
	@$(PY) deploy/build.py dist

sbom: $(MADE) ## list what requirements.lock installs, as CycloneDX: dist/sbom.json
	@mkdir -p dist
	@PYTHONWARNINGS=ignore $(PY) -m uv tool run --quiet --from 'cyclonedx-bom>=7,<8' cyclonedx-py requirements requirements.lock \
		--pyproject pyproject.toml --output-reproducible --output-format JSON --output-file dist/sbom.json

venv: $(RUNTIME) ## install what the site runs on
dev: $(DEV) ## install what the tests need as well

clean: ## remove what make and the tools made; .env and db.sqlite3 stay
	rm -rf $(VENV) $(CACHE) staticfiles build dist *.egg-info
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(MADE):
	@command -v $(PYTHON) >/dev/null || { echo "make: there is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: faceauth needs Python 3.11 or newer, and $(PYTHON) is older. Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make: $(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "make: creating the virtual environment $(VENV)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	-@$(PY) -m pip install --quiet uv
	@touch $@

$(RUNTIME): requirements.txt pyproject.toml $(MADE)
	@echo "make: installing what the site runs on: about 250 MB of packages, once"
	@$(call install,-r requirements.txt)
	@touch $@

$(DEV): requirements.txt pyproject.toml $(MADE) $(SDIST)
	@echo "make: installing what the site and its tests run on: a minute or a few, once"
	@$(call install,-r requirements.txt -e .[dev])
	@$(call install,--no-deps $(SDIST))
	@touch $(RUNTIME) $@

$(SDIST): requirements-oracle.txt | $(MADE)
	@$(PY) -m pip download --quiet --no-deps --no-binary :all: --require-hashes --dest $(CACHE) -r requirements-oracle.txt
	@touch $@

.env: | $(MADE)
	@umask 077 && $(PY) -c "$$ENV_FILE" > $@
	@echo "make: wrote .env with fresh keys, for development. .env.example says what else can stand there."
