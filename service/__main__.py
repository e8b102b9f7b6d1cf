"""`zenhire-sync` and `python -m service`."""

import os
import sys

from service.cli.root import main as run_command


def main() -> None:
    sys.exit(run_command(sys.argv[1:], os.environ))


if __name__ == "__main__":
    main()
