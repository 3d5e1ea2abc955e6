"""The recipe of one container image with everything that a run needs."""

from __future__ import annotations

from conda_files import PYTHON

RECIPE = f"""\
# One image with every package of requirements/run.txt. Made by `make lock`; do not edit.
# It was not built when it was written: no registry of images was within reach.
#
#   docker build -f envs/Dockerfile -t lossproof requirements
#
# The checkout is not in it: mount it, or let Snakemake's Kubernetes executor send it (--container-image).

# The whole image, not the slim one: it has the git that provenance asks for the commit.
FROM python:{PYTHON}-bookworm

COPY run.txt /opt/lossproof/run.txt
# run.txt names every transitive package, so pip need not look for any. It must not either: torchattacks asks for a
# years-old requests that the others exclude.
RUN python -m pip install --no-cache-dir --no-deps --require-hashes --compile -r /opt/lossproof/run.txt \\
    && snakemake --version \\
    && python -c "import torchvision, torchattacks, foolbox, pyautoattack, loss_landscapes, sklearn, matplotlib"

# Snakemake's storage on Kubernetes copies with it.
RUN apt-get update && apt-get install --yes --no-install-recommends rsync && rm -rf /var/lib/apt/lists/*

# A number, by which Kubernetes sees that it is not root.
RUN useradd --create-home --uid 1000 lossproof
USER 1000
WORKDIR /home/lossproof
"""
