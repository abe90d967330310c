/**
 * Overwrites secrets that are no longer needed. It shortens the time they can be found in memory; JavaScript gives no
 * guarantee that the engine has made no copy.
 */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0)
}
