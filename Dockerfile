# Both programs, static, in an image that holds nothing else but certificates and
# time zones. It runs the exporter; run the other by naming it:
#
#	docker build -t upheld .
#	docker run -v "$PWD/specs:/etc/upheld:ro" -p 9799:9799 upheld
#	docker run -v "$PWD/specs:/etc/upheld:ro" --entrypoint /bin/upheld upheld check /etc/upheld
#
# The exporter is the default because it is what runs next to every Prometheus;
# upheld is called by people and by CI. An image build sees no git: pass what the
# programs should say about themselves as VERSION, REVISION and BUILD_DATE.

FROM golang:1.26 AS build
WORKDIR /src
# The modules change less often than the code: a layer of their own.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
ARG REVISION=unknown
ARG BRANCH=unknown
ARG BUILD_DATE=unknown
RUN make build VERSION="$VERSION" REVISION="$REVISION" BRANCH="$BRANCH" BUILD_DATE="$BUILD_DATE" \
	&& mkdir -p /out/var/lib/upheld

# "static" has no shell and no package manager; it brings CA certificates and
# time zones.
FROM gcr.io/distroless/static-debian12
LABEL org.opencontainers.image.title="Upheld" \
	org.opencontainers.image.description="SLAs as code for Prometheus" \
	org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /src/bin/upheld /src/bin/upheld-exporter /bin/
COPY --from=build /src/LICENSE /LICENSE
# A number rather than a name, so that Kubernetes can see that it is not root.
COPY --from=build --chown=65534:65534 /out/var/lib/upheld /var/lib/upheld
USER 65534:65534
WORKDIR /var/lib/upheld
# upheld-exporter, and upheld serve
EXPOSE 9799 9798
ENTRYPOINT ["/bin/upheld-exporter"]
CMD ["--spec.file=/etc/upheld"]
