/** A promise, and what settles it. */
export function settledLater(): { settled: Promise<void>; settle: () => void } {
  let settle = (): void => undefined
  const settled = new Promise<void>((resolve) => (settle = resolve))
  return { settled, settle: () => settle() }
}
