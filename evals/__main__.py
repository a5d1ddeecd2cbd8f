"""`python -m evals [PATHS]`: plays dialogues and says which held.

    python -m evals [PATHS] [--seeds N]      every dialogue, or files, folders and names
    python -m evals show DIALOGUE --seed N   one run with its wire, by its virtual clock
    python -m evals mutants [NAMES]          the agent broken on purpose: a dialogue has to notice each way
    python -m evals evalset FILE [PATHS]     what was played as google-adk's evalset; --read makes dialogues of one
    python -m evals schema                   writes dialogue.schema.json, which editors complete by

Exit codes: 0 every gate holds, 1 one does not, 2 called wrongly or a file that is no dialogue.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from agent.logs import install
from evals.command import COMMANDS, evaluate
from evals.format import FormatError
from evals.playing import NotThere

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Runs one command. Returns the exit code."""
    first, *rest = arguments or [""]
    try:
        return COMMANDS[first](rest) if first in COMMANDS else evaluate(arguments)
    except (FormatError, NotThere) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    install()  # whatever ends a run, its traceback shows no token
    sys.exit(main(sys.argv[1:]))
