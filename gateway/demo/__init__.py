"""``cti-gateway demo``: a company with accounts, agents and three appliances, in a folder that is thrown away."""
