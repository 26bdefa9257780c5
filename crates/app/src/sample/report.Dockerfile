# The report generator. Its tools were once there for Intel alone.
FROM --platform=linux/amd64 acme/build-tools:4 AS build
WORKDIR /src
COPY . .
RUN make report

FROM debian:13
COPY --from=build /src/out /opt/report
CMD ["/opt/report/run"]
