#!/usr/bin/env bash
# torchattacks asks for a years-old requests that it does not need to attack.
set -euo pipefail
python -m pip install --no-deps torchattacks==3.5.1
