#!/usr/bin/env bash
# jaxtyping's pytest option keeps the modules that it instruments in a bytecode cache of its own, but
# only where they are imported: its loader sets the cache's name in `exec_module`. `runpy.run_module`
# asks the loader for the code (`get_code`), so that a test that runs a module as `python -m` does
# leaves instrumented bytecode in the ordinary cache. From then on `python -m` of that module fails
# outside of pytest too, until its source or the cache is touched.
set -euo pipefail
unset PYTHONDONTWRITEBYTECODE
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    jaxtyping==0.3.11 beartype==0.23.1 pytest==9.2.0
cd "$folder"
mkdir package
cat >package/__init__.py <<'PYTHON'
PYTHON
cat >package/greet.py <<'PYTHON'
def greet() -> None:
    print("hello")


if __name__ == "__main__":
    greet()
PYTHON
cat >test_greet.py <<'PYTHON'
import runpy


def test_greet():
    runpy.run_module("package.greet", run_name="__main__")
PYTHON
run() {
    { venv/bin/python -m package.greet 2>&1 || true; } | tail -n 1
}
forget() {
    rm -rf package/__pycache__
}
venv/bin/pip list --disable-pip-version-check 2>/dev/null | grep -E "^(jaxtyping|beartype|pytest) "
echo "expected: a test run with the option changes nothing for the program outside of it"

forget
venv/bin/python -m pytest -q -p no:cacheprovider test_greet.py >/dev/null
without=$(run)
echo "python -m package.greet after tests without the option: $without"

forget
venv/bin/python -m pytest -q -p no:cacheprovider \
    --jaxtyping-packages=package,beartype.beartype test_greet.py >/dev/null
with=$(run)
echo "python -m package.greet after tests with it:            $with"

touch -d 2001-01-01 package/greet.py
touched=$(run)
echo "... and once its source has been touched:               $touched"
[[ $without == hello && $with == KeyError* && $touched == hello ]] || {
    echo "this has changed"
    exit 1
}
