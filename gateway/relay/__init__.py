"""Call events on their way to CRMs that have listeners of their own."""
