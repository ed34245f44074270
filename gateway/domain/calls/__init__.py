"""What makes events one call: sides, pairing, states, results, and whose call it is."""
