// Positions in the stream of events, as the gateway writes them: "SEQ", or "EPOCH.SEQ" once a database has taken over that may
// lack what was shown. Those of a later epoch are behind all of an earlier one.

const read = (position) => {
  const parts = String(position).split(".").map(Number);
  return parts.length === 2 ? parts : [0, parts[0]];
};

/** Whether what is at `one` comes before what is at `other`. */
export function isBefore(one, other) {
  const [[epoch, seq], [otherEpoch, otherSeq]] = [read(one), read(other)];
  return epoch === otherEpoch ? seq < otherSeq : epoch < otherEpoch;
}
