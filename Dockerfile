# Builds the image of procevent_exporter: `docker build -t procevent_exporter .`. See docs/install.md, "Container".
ARG BASE=debian:bookworm-slim

# Compiles the product once. Each COPY has only the files that the steps after it need, so that a change of other files
# keeps the compiled layer.
FROM ${BASE} AS build
WORKDIR /src
COPY deploy/install_packages.sh deploy/packages.txt deploy/
RUN deploy/install_packages.sh build
COPY CMakeLists.txt CMakePresets.json ./
COPY deploy/cmake deploy/cmake
COPY deploy/debian/changelog.in deploy/debian/
COPY core core
COPY exporter exporter
COPY config config
COPY cmd cmd
# For procevent_exporter_build_info: `--build-arg REVISION=$(git rev-parse --short=12 HEAD)`.
ARG REVISION
RUN cmake --preset release -DPROCEVENT_REVISION=$REVISION && cmake --build --preset release && \
    strip build/release/procevent_exporter
# Readable by all users, whichever umask the checkout was made with.
COPY deploy/procevent_exporter.yml deploy/demo/demo.pcap deploy/debian/copyright files/
RUN chmod 644 files/*

# Runs the unit tests: `docker build --target test -t procevent_test . && docker run --rm procevent_test`. The tests are
# the command of this stage and no build step, since builders without BuildKit build this stage for every image.
FROM build AS test
COPY . .
CMD ["sh", "-ec", "deploy/install_packages.sh unit; cmake --preset dev; cmake --build --preset dev; exec ctest --test-dir build/dev -LE 'e2e|live|tree|deploy' --output-on-failure --no-tests=error -j $(nproc)"]

FROM ${BASE}
LABEL org.opencontainers.image.title="procevent_exporter" \
      org.opencontainers.image.description="Prometheus exporter for Linux process events: which commands fork, execute and exit, how they exit, and how many events were missed." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.2.0"
COPY deploy/install_packages.sh deploy/packages.txt /tmp/deploy/
RUN /tmp/deploy/install_packages.sh runtime && rm -rf /tmp/deploy /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
COPY --from=build /src/files/procevent_exporter.yml /etc/procevent_exporter/
COPY --from=build /src/files/demo.pcap /usr/share/procevent_exporter/
COPY --from=build /src/files/copyright /usr/share/doc/procevent-exporter/
COPY --from=build /src/build/release/procevent_exporter /usr/bin/
# An environment variable, so that the health check reads the same configuration.
ENV PROCEVENT_CONFIG_FILE=/etc/procevent_exporter/procevent_exporter.yml
EXPOSE 13675
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["procevent_exporter", "healthcheck"]
ENTRYPOINT ["procevent_exporter"]
