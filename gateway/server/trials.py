"""The test cases of a configuration's dial plans: which there are, and which do not hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.config.tables import Config
from gateway.domain.dialplan.plan import DialPlan
from gateway.domain.dialplan.trials import Failure, Trial
from gateway.domain.tenant import Tenant
from gateway.server.companies import tenants


def dial_plan_trials(config: Config) -> Iterator[tuple[str, tuple[Trial, ...], DialPlan, Tenant]]:
    """Yield every dial plan that has test cases: where it stands, the cases, the plan, and the tenant it dials for."""
    for name, tenant in tenants(config).items():
        table = config.tenants[name]
        if table.dial_plan.tests:
            yield f"{name} dial_plan", table.dial_plan.trials(), table.dial_plan.plan(), tenant
        for appliance in tenant.appliances:
            own = table.appliances[appliance.name].dial_plan
            if own and own.tests:
                yield f"{name}/{appliance.name} dial_plan", own.trials(), appliance.dial_plan, tenant


@dataclass(frozen=True, slots=True)
class FailedTrial:
    """A test of a dial plan that does not hold, and where the plan stands."""

    tenant: str
    place: str
    failure: Failure


def failed_trials(config: Config) -> Sequence[FailedTrial]:
    """Return all test cases of dial plans that do not hold."""
    return [
        FailedTrial(tenant.name, place, failure)
        for place, trials, plan, tenant in dial_plan_trials(config)
        for trial in trials
        if (failure := trial.failure(plan, tenant))
    ]
