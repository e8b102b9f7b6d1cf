"""What is explored: a few small worlds, each with every order of what can happen in it."""

from tests.exploration.moves import World

WORLDS = {
    "one link, three posts, two faults": World(),
    "one link, two posts, two faults": World(posts_per_link=2),
    "two links, three posts, one fault": World(max_links=2, weeks=2, faults=1),
    "one link, three posts, one fault, re-invites": World(faults=1, console=True),
}

#: Too large for every run of the tests: among the long ones.
LARGE_WORLDS = set(WORLDS) - {"one link, three posts, one fault, re-invites"}

#: Too large for the tests.
MORE_WORLDS = {"two links, three posts, one fault, re-invites": World(max_links=2, weeks=2, faults=1, console=True)}
