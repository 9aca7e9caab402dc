"""Small models of random weights in architectures that llama.cpp knows, and what llamood can do
with each."""
