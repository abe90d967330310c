/** A chain that programs on several machines have: what the one here waits for. */

export interface SharedBy {
  /** Everything in the local log is on the server when it resolves. TIMED_OUT, COMMIT_SET_ASIDE, CHAIN_CLOSED. */
  accepted(): Promise<void>
  /** What others had committed is here when it resolves. TIMED_OUT where reads must not be older. */
  refresh(): Promise<void>
  /** Transactions begin with what others had committed. */
  readonly isStrict: boolean
  /** A commit survives a crash of this machine. */
  readonly isOnDisk: boolean
}
