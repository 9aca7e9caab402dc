"""Readers and parsers that are given whatever bytes, by coverage-guided fuzzers."""
