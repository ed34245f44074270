"""How long the simulation runs: ``--hypothesis-profile=simulation-long`` searches for some minutes."""

from hypothesis import HealthCheck, Phase, settings

SHORT, LONG = "simulation", "simulation-long"
BASE = settings(
    database=None,
    print_blob=True,
    deadline=None,
    stateful_step_count=30,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(SHORT, BASE, derandomize=True, max_examples=20)
settings.register_profile(LONG, BASE, max_examples=500)
