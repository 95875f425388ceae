# The image of a release: as Dockerfile, with the programs that goreleaser has
# built in place of a stage that builds them.
FROM --platform=$BUILDPLATFORM debian:12-slim AS files
RUN mkdir -p /out/var/lib/upheld

FROM gcr.io/distroless/static-debian12
ARG TARGETPLATFORM
LABEL org.opencontainers.image.title="Upheld" \
	org.opencontainers.image.description="SLAs as code for Prometheus" \
	org.opencontainers.image.licenses="Apache-2.0"
COPY $TARGETPLATFORM/upheld $TARGETPLATFORM/upheld-exporter /bin/
COPY LICENSE /LICENSE
COPY --from=files --chown=65534:65534 /out/var/lib/upheld /var/lib/upheld
USER 65534:65534
WORKDIR /var/lib/upheld
EXPOSE 9799 9798
ENTRYPOINT ["/bin/upheld-exporter"]
CMD ["--spec.file=/etc/upheld"]
