"""What the processes and nodes of a gateway share beside rows: limits, leases, presence, what each of them saw."""
