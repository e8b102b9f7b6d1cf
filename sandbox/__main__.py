"""`python -m sandbox`: the stand-in alone, without the service's command line."""

import argparse
import sys

from sandbox import cli

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="sandbox", description="The vendor's platform in small.")
    cli.add_arguments(parser)
    sys.exit(cli.run(parser.parse_args()))
