"""The configuration: one TOML file, judged whole when it is read, with the shipped defaults."""
