/** What is counted since the start of a server. */
export interface Counters {
  batchesTaken: number
  bytesTaken: number
  batchesSent: number
  bytesSent: number
  batchesRefused: number
}

export function newCounters(): Counters {
  return { batchesTaken: 0, bytesTaken: 0, batchesSent: 0, bytesSent: 0, batchesRefused: 0 }
}
