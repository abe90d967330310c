/** What is open while more is done with it. */

/** Closes it where `work` fails; what that failed with is told, however the closing ends. */
export async function closingOnFailure<T>(
  opened: { close: () => Promise<void> },
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await opened.close().catch(() => undefined)
    throw error
  }
}
