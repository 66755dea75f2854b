# Run the server on a folder of its own
run *arguments:
    cargo run -- serve --data-dir natterjack-data {{arguments}}

# Everything that must pass
test *arguments:
    cargo xtask test {{arguments}}

# Format all code
fmt:
    cargo fmt --all

# Clippy and the house rules
lint:
    cargo clippy --workspace --all-targets -- -D warnings && cargo xtask tidy

# Build the documentation and open it
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --open

# Measure the release build
bench *arguments:
    cargo run --release -- bench {{arguments}}
