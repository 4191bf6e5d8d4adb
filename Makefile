# Needs python3 (with venv) and make. Everything else goes into this folder: uv and node come from PyPI.
.DEFAULT_GOAL := help
SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export VIRTUAL_ENV := $(CURDIR)/.venv
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
unexport PYTHONPATH
# Some machines set it; without compiled modules, each of the many processes here takes twice as long to start.
unexport PYTHONDONTWRITEBYTECODE
UV := .tools/bin/uv
SETUP := .venv/.ready
LOCK := cd requirements && ../$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-annotate \
	--custom-compile-command "make lock" --python-version
# Settings instead of those in cdk.json, for once: CONTEXT="-c sendRate=5"
CONTEXT ?=
# For make local: Connect answers as in this file of `courier doctor --send-test`
ANSWERS ?=
# Options of cdk deploy: DEPLOY=--revert-drift restores what was changed or deleted by hand
DEPLOY ?=
# The cloud assembly. make deploy and make destroy use the one that was just shown, and synthesise no other
ASSEMBLY := $(or $(CDK_OUTPUT),cdk.out)
# Options of cdk bootstrap, such as --cloudformation-execution-policies (docs/deploy.md)
BOOTSTRAP ?=
# A part of the tests, e.g. TESTS="tests/unit -k token"
TESTS ?=

.PHONY: help demo local test check bench explore storm bootstrap synth diff deploy import destroy lock clean

help:
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-9s %s\n", $$1, $$2}'

demo: $(SETUP) ## send sample replies through the whole of it on this machine, mend, replay, and count
	@python -m local demo

local: $(SETUP) ## keep the whole of it running on this machine until Ctrl-C
	@python -m local up $(if $(ANSWERS),--answers "$(ANSWERS)")

test: $(SETUP) ## run all tests, four at a time
	@python -m tests -n 4 $(TESTS)

check: $(SETUP) ## format, lint, types, import rules, synth with cdk-nag, cfn-lint
	@ruff format --check .
	@ruff check .
	@mypy
	@lint-imports --no-logo
	@cdk synth --quiet -c instanceArn=arn:aws:connect:eu-central-1:111122223333:instance/11111111-2222-3333-4444-555555555555
	@cfn-lint cdk.out/reply-courier.template.json

bench: $(SETUP) ## measure reply-courier beside a plain peer, in about an hour; the tables go to bench/results/
	@python -m bench

explore: $(SETUP) ## go through every state that a reply can get into, in half an hour; the table goes to bench/results/
	@python -m tests.explore

storm: $(SETUP) ## send 300 replies through every fault at once, twice; CHAOS_SEED=N repeats a run
	@python -m bench storm

bootstrap: $(SETUP) ## prepare the AWS account and Region of your credentials for CDK, once
	@python -c 'import boto3, os; boto3.Session(region_name=os.environ.get("AWS_REGION")).client("sts").get_caller_identity()' 2>/dev/null \
		|| { echo "Put credentials and Region into the environment first: AWS_PROFILE and AWS_REGION (docs/deploy.md)."; exit 1; }
	@cd requirements && cdk bootstrap $(BOOTSTRAP) "$$(python -c 'import boto3, os; session = boto3.Session(region_name=os.environ.get("AWS_REGION")); \
		print(f"aws://{session.client("sts").get_caller_identity()["Account"]}/{session.region_name}")')"

synth: $(SETUP) ## write the CloudFormation template to cdk.out/
	@cdk synth --quiet $(CONTEXT)

diff: $(SETUP) ## show what a deployment would change
	@cdk diff $(CONTEXT)

deploy: diff ## show what would change, ask, and deploy with the settings in cdk.json
	@printf 'Deploy this? [y/N] '; read -r answer; [[ "$${answer,,}" =~ ^(y|yes)$$ ]] || { echo "Nothing was deployed."; exit 1; }
	@cdk deploy --app $(ASSEMBLY) --require-approval never $(DEPLOY)

import: $(SETUP) ## take what an earlier stack left (import.json, docs/runbook.md) into a new one
	@test -f import.json || { echo "Write import.json first: docs/runbook.md, Deleting the stack"; exit 1; }
	@cdk import --resource-mapping import.json --force $(CONTEXT)

destroy: $(SETUP) ## delete the stack, and say what stays
	@echo "What stays: the queues with the unsent replies in them, their policies, the bucket, the table of drafts, the log and the journal."
	@printf 'Delete the stack %s? [y/N] ' "$$(cdk list $(CONTEXT))"; read -r answer; \
		[[ "$${answer,,}" =~ ^(y|yes)$$ ]] || { echo "Nothing was deleted."; exit 1; }
	@cdk destroy --app $(ASSEMBLY) --force

lock: $(SETUP) ## renew requirements/*.txt and package-lock.json
	$(LOCK) 3.13 uv.in -o uv.txt
	$(LOCK) 3.13 handler.in -o handler.txt
	$(LOCK) 3.13 dev.in -o dev.txt
	$(LOCK) 3.11 -c dev.txt courier.in -o courier.txt
	npm update

clean: ## remove everything that make has put here
	rm -rf .venv .tools node_modules build cdk.out .*_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(UV): requirements/uv.txt
	@! test -L .tools -o -L .venv || { echo "Setting up would empty another checkout: .tools or .venv is a link."; exit 1; }
	@echo "Setting up: uv, Python packages, node and the CDK command line, all inside this folder …"
	@python3 -m venv --clear .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(SETUP): $(UV) .python-version requirements/dev.txt package.json package-lock.json
	@! test -L .venv || { echo "Setting up would empty another checkout: .venv is a link."; exit 1; }
	@$(UV) venv --quiet --clear .venv
	@$(UV) pip sync --quiet --require-hashes requirements/dev.txt
	@npm ci --silent
	@touch $@
