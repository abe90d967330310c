// How long a change made on one mount of a chain is not seen on another: a file is made on one, and looked for on the other.
import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Mounted } from './mounted.js'
import type { System } from './systems.js'

const CHANGES = 200
/** They fall anywhere into what goes on by a clock. */
const MOST_PAUSE_MS = 60
/** Both take in what there is, and have run a while. */
const WARM_UP = 20
const LOOK_MS = 1
const GIVE_UP_MS = 10_000

export interface Staleness {
  readonly mode: string
  /** From the end of open(2) that makes the file until another machine would find it, in ascending order. */
  readonly ms: readonly number[]
}

/** The kernel of the other mount remembers that the name is not there until it is told. */
export async function measureStaleness(
  mode: string,
  pair: readonly [System, System],
  root: string,
  core: number | undefined,
): Promise<Staleness> {
  const mounted: Mounted[] = []
  try {
    for (const system of pair) mounted.push(await Mounted.start(system, root, core))
    const [one, other] = mounted.map(({ directory }) => directory)
    if (one === undefined || other === undefined) throw new Error('two mounts are needed')
    const ms: number[] = []
    for (let i = -WARM_UP; i < CHANGES; i++) {
      await sleep(Math.random() * MOST_PAUSE_MS)
      const name = `seen-${i + WARM_UP}`
      const [made, looked] = [join(one, name), join(other, name)]
      if (await isThere(looked)) throw new Error(`${name} is there already`)
      await writeFile(made, '')
      const took = await untilThere(looked)
      if (i >= 0) ms.push(took)
    }
    return { mode, ms: ms.sort((a, b) => a - b) }
  } finally {
    for (const each of mounted) await each.stop()
  }
}

export function percentile({ ms }: Staleness, share: number): number {
  return ms[Math.min(ms.length - 1, Math.floor(share * ms.length))] ?? NaN
}

async function untilThere(path: string): Promise<number> {
  const began = performance.now()
  while (!(await isThere(path))) {
    if (performance.now() - began > GIVE_UP_MS) throw new Error(`${path} is not seen`)
    await sleep(LOOK_MS)
  }
  return performance.now() - began
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
