/** What the test files cost: seconds that pass, and those of processors. Which are worth making cheaper is told at the end. */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Linux tells times in these, whatever the kernel counts in. */
const TICKS_OF_SECOND = 100
const SHOWN = 10
/** Whoever passes this much time is shown, too. */
const LONG_SECONDS = 60

/**
 * Processor seconds of the processes that this one has waited for, and that those have: what has ended since the last time
 * took the difference. A daemon is waited for by nobody, and not in it.
 */
export function waitedForSeconds() {
  // The second field is a name, in which anything may be.
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? []
  const [user, system] = [fields[13], fields[14]]
  return (Number(user) + Number(system)) / TICKS_OF_SECOND
}

/** @returns {{ busy: number, all: number }} milliseconds of the processors of this machine, whoever had them */
function machineTimes() {
  const sum = { busy: 0, all: 0 }
  for (const { times } of cpus()) {
    const all = Object.values(times).reduce((a, b) => a + b, 0)
    sum.all += all
    sum.busy += all - times.idle
  }
  return sum
}

/** @param {number} processorSeconds @param {number} seconds */
export function costText(processorSeconds, seconds) {
  return `${seconds.toFixed(1)} s, ${processorSeconds.toFixed(1)} s of a processor`
}

/** @param {{ name: string, processorSeconds: number, seconds: number }} cost */
function lineOf({ name, processorSeconds, seconds }) {
  return `  ${costText(processorSeconds, seconds)}: ${name}`
}

/** Keeps what each costs. */
export function createCosts() {
  const before = machineTimes()
  /** @type {{ name: string, processorSeconds: number, seconds: number }[]} */
  const costs = []
  return {
    /** @param {string} name @param {number} processorSeconds @param {number} seconds */
    add(name, processorSeconds, seconds) {
      costs.push({ name, processorSeconds, seconds })
    },
    /** The dearest, those that took long, and how busy the machine was: one line each. */
    lines() {
      const { busy, all } = machineTimes()
      const percent = Math.round((100 * (busy - before.busy)) / Math.max(1, all - before.all))
      const dearest = costs.toSorted((a, b) => b.processorSeconds - a.processorSeconds).slice(0, SHOWN)
      const longest = costs.filter(({ seconds }) => seconds > LONG_SECONDS).toSorted((a, b) => b.seconds - a.seconds)
      return [
        `the processors were busy for ${percent} % of the time; what took most of them:`,
        ...dearest.map(lineOf),
        ...(longest.length === 0 ? [] : [`what took more than ${LONG_SECONDS} s:`, ...longest.map(lineOf)]),
      ]
    },
  }
}
