# The gateway, with its page, in an image that holds nothing else.
FROM node:24-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=web /src/web/dist web/dist
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /zipreel ./cmd/zipreel

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /zipreel /zipreel
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s CMD ["/zipreel", "health", "http://127.0.0.1:8080"]
ENTRYPOINT ["/zipreel"]
CMD ["serve", "--listen", "0.0.0.0:8080", "--config", "/etc/zipreel.yaml"]
