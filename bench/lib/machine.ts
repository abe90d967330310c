// The facts a reader needs to judge the numbers.
import { readFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import type { System } from './systems.js'

export async function machineFacts(systems: readonly Pick<System, 'version'>[]): Promise<string[]> {
  const os = /PRETTY_NAME="(.*)"/.exec(await readFile('/etc/os-release', 'utf8').catch(() => ''))?.[1] ?? 'Linux'
  const versions = await Promise.all(systems.map((system) => system.version()))
  return [
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `CPU: ${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores; memory: ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Kernel: ${release()}; ${os}; Node ${process.version}`,
    `Versions: ${versions.join('; ')}`,
  ]
}
