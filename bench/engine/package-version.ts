import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRequire } from 'node:module'

/** Name and version of an installed package, whatever it exports. */
export async function packageVersion(name: string): Promise<string> {
  for (const directory of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const text = await readFile(join(directory, name, 'package.json'), 'utf8').catch(() => undefined)
    if (text !== undefined) return `${name} ${(JSON.parse(text) as { version: string }).version}`
  }
  return name
}
