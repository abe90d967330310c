/** The end of a run amid faults: all machines come to one state, or it is told what each of them waits for. */
import { readdirSync, readFileSync } from 'node:fs'
import type { Machine, Team } from './machines.js'

/** The turn of one that was killed is kept for 10 seconds, a wait for it lasts up to a minute, and it is connected anew only now and then. */
const MOST_MS = Number(process.env['ATEFS_CHAOS_SETTLE_MS'] ?? 120_000)
const LOOK_MS = 100
const LAST_LINES = 30

type Status = Readonly<Record<string, unknown>>

/** All are there, connected, and have everything that any of them has. Resolves with the time it took, in milliseconds. */
export async function settle(team: Team): Promise<number> {
  const { machines } = team
  for (const { proxy } of machines) proxy.heal()
  const from = performance.now()
  for (;;) {
    const states = await Promise.all(machines.map((machine) => machine.status()))
    const took = performance.now() - from
    if (isOne(states)) return took
    if (took > MOST_MS) throw new Error(`it did not settle in ${MOST_MS} ms\n${standing(team, states)}`)
    await joinAgain(machines, states)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

function isOne(states: readonly Status[]): boolean {
  const isIdle = states.every((state) => state['connected'] === true && state['unsentBatches'] === 0)
  return isIdle && new Set(states.map((state) => state['headDigest'])).size === 1
}

/** What others did not wait for is set aside when it is opened again. */
async function joinAgain(machines: readonly Machine[], states: readonly Status[]): Promise<void> {
  for (const [i, { serverProblem }] of states.entries()) {
    if (!/is not part of the chain/.test(String(serverProblem))) continue
    await machines[i]?.leave()
    await machines[i]?.join()
  }
}

/** How each machine stands, with the last that its daemon and the server have said. */
function standing({ world, server, machines }: Team, states: readonly Status[]): string {
  const ofMachines = machines.map(
    ({ mount, logs }, i) => `${mount} (${logs}): ${JSON.stringify(states[i], undefined, 1)}`,
  )
  const logs = world.path('state', 'atefs')
  const ofDaemons = filesOf(logs).map((name) => `${name}:\n${lastLines(readFileSync(`${logs}/${name}`, 'utf8'))}`)
  return [...ofMachines, ...ofDaemons, `the server:\n${lastLines(server.messages())}`].join('\n')
}

function filesOf(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.log'))
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-LAST_LINES).join('\n')
}
