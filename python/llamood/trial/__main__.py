"""``python -m llamood.trial``: prints what is not as it must be, a line each, and ends with 1 where
there is such a thing. In a process of its own, as a llama.cpp that does not fit may end it."""

from __future__ import annotations

from llamood.trial import faults_of_behaviour, faults_of_interface


def main() -> int:
    # Nothing is called whose arguments do not fit.
    faults = faults_of_interface() or faults_of_behaviour()
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
