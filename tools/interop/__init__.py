"""Other programs that steer and measure, really run beside llamood on one real model.

`run.py` is the command; what it measures is told in docs/interop.md. Modules below `peers/` run in
an environment of their own (see `environment.py`) and import nothing of llamood.
"""
