"""One seed, one history: replicas interleaved beat by beat on a virtual clock, real Postgres, the sandbox's vendor."""
