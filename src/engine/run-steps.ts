/** Runs work that can be done in steps (a generator) to its end at once; returns what it came to. */
export function runSteps<T>(steps: Iterator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}
