# The service as a Ray Serve application, for KubeRay and compose-fleet.yaml. Build deploy/Dockerfile first:
#   docker build -f deploy/Dockerfile -t mattecam-serve . && docker build -f deploy/fleet.Dockerfile -t mattecam-fleet .
ARG SERVE_IMAGE=mattecam-serve
FROM ${SERVE_IMAGE}

USER root
# KubeRay's probes call wget.
RUN apt-get update && apt-get install -y --no-install-recommends wget && rm -rf /var/lib/apt/lists/*
COPY requirements/fleet.lock requirements/
RUN pip install --no-cache-dir --no-deps --require-hashes --only-binary=:all: -r requirements/fleet.lock
COPY deploy/fleet.yaml deploy/fleet.yaml

# Ray keeps logs and sockets in /tmp, and a token of its own in the home folder.
ENV PYTHONPATH=/opt/mattecam HOME=/data RAY_USAGE_STATS_ENABLED=0
USER 65532:65532
ENTRYPOINT []
CMD ["serve", "run", "deploy/fleet.yaml"]
