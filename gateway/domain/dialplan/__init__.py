"""From a number to the digits that an appliance dials, and back from what it reports."""
