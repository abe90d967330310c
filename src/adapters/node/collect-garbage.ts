/** A collection of garbage when it is asked for: Node begins one by itself only when it needs memory. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

/** Takes some 10 ms for each 100 MB that are held. */
export function collectGarbage(): void {
  collect ??= exposed()
  collect()
}

function exposed(): () => void {
  try {
    setFlagsFromString('--expose-gc')
    const gc: unknown = runInNewContext('gc')
    return typeof gc === 'function' ? () => void Reflect.apply(gc, undefined, []) : nothing
  } catch {
    return nothing
  }
}

function nothing(): void {
  // Another runtime: it collects when it likes.
}
