#!/usr/bin/env bash
# Made by `make lock`; do not edit.
# torchattacks asks for a years-old requests that it does not need to attack.
set -euo pipefail
pins="$(mktemp)"
trap 'rm -f "$pins"' EXIT
cat > "$pins" <<'PINS'
torchattacks==3.5.1 --hash=sha256:10c1b05f3a0b52869a91dfa9f9d5adf613750276a15f41fdbd361127cc6bd703
PINS
python -m pip install --no-deps --require-hashes -r "$pins"
