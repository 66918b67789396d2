# The service in a container: docker build -t nigh . && docker run -p 127.0.0.1:6444:6444 -v nigh:/data nigh
FROM rust:1.90-bookworm AS build
WORKDIR /build
COPY . .
RUN cargo build --release --locked --bin nigh && mkdir /data

# No shell and no package manager, a user without rights, and the C library that the program was built against.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /build/target/release/nigh /usr/local/bin/nigh
COPY --from=build /build/LICENSE-MIT /build/LICENSE-APACHE /build/data/README.md /usr/share/doc/nigh/
COPY --from=build --chown=nonroot:nonroot /data /data

# Nobody comes near a container but by the ports that are published: that is who decides. With NIGH_KEYS everybody needs a key all the same.
ENV NIGH_LISTEN=0.0.0.0:6444 \
    NIGH_DATA_DIR=/data \
    NIGH_ALLOW_ANYONE=true
# The user nonroot of the image, by number: a host that lets no root in can tell that this is none.
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 6444
STOPSIGNAL SIGTERM
# With --tls-cert the check has to say --url https://NAME:6444 and --ca.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["/usr/local/bin/nigh", "health"]
ENTRYPOINT ["/usr/local/bin/nigh"]
CMD ["serve"]
