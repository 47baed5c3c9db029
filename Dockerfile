# The image of procevent_exporter: `docker build -t procevent_exporter .`. See README.md, "Container".
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
WORKDIR /src
COPY deploy/install_packages.sh deploy/packages.txt deploy/
RUN deploy/install_packages.sh build unit
COPY . .
RUN cmake --preset dev && cmake --build --preset dev && \
    ctest --test-dir build/dev -LE 'e2e|live|tree|deploy' --output-on-failure --no-tests=error -j "$(nproc)"
# For procevent_exporter_build_info: `--build-arg REVISION=$(git rev-parse --short=12 HEAD)`.
ARG REVISION
RUN cmake --preset release -DPROCEVENT_REVISION=$REVISION && cmake --build --preset release && strip build/release/procevent_exporter && \
    chmod 644 deploy/procevent_exporter.yml deploy/demo/demo.pcap deploy/debian/copyright

FROM ${BASE}
LABEL org.opencontainers.image.title="procevent_exporter" \
      org.opencontainers.image.description="Prometheus exporter of Linux process events, with exact loss counts" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.2.0"
COPY deploy/install_packages.sh deploy/packages.txt /tmp/deploy/
RUN /tmp/deploy/install_packages.sh runtime && rm -rf /tmp/deploy /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
# The build stage made these files readable by all, for any umask of the checkout.
COPY --from=build /src/deploy/procevent_exporter.yml /etc/procevent_exporter/
COPY --from=build /src/deploy/demo/demo.pcap /usr/share/procevent_exporter/
COPY --from=build /src/deploy/debian/copyright /usr/share/doc/procevent-exporter/
COPY --from=build /src/build/release/procevent_exporter /usr/bin/
# An environment variable, so that the health check reads the same configuration.
ENV PROCEVENT_CONFIG_FILE=/etc/procevent_exporter/procevent_exporter.yml
EXPOSE 13675
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["procevent_exporter", "healthcheck"]
ENTRYPOINT ["procevent_exporter"]
