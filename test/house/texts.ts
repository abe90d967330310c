/** Nothing of the machine a change was made on is in the tree, and nothing that switches the rules off. */
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { projectRoot } from '../helpers/source-files.js'

const MAX_TEXT_BYTES = 4 * 1024 * 1024

/** Absolute paths of people's machines, and registries other than the public ones' own defaults. */
const FORBIDDEN = [
  { what: 'a path of a home directory', pattern: /\/(home|Users)\/[a-z][\w.-]*\/[\w.-]+/ },
  {
    what: 'the path of this checkout',
    pattern: new RegExp(projectRoot.replace(/\/$/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')),
  },
  { what: 'the address of a package registry', pattern: /https?:\/\/(registry\.|npm\.pkg\.)[\w.-]+/ },
  { what: 'an address with credentials', pattern: /https?:\/\/[^\s/@'"`]+:[^\s/@'"`]+@/ },
]
const SWITCHES = [
  { what: 'an ignored type error', pattern: /@ts-(ignore|nocheck|expect-error)/ },
  { what: 'a lint rule switched off', pattern: /eslint-disable/ },
]

function trackedFiles(): string[] {
  const list = execFileSync('git', ['ls-files', '-z'], { cwd: projectRoot, encoding: 'utf8' })
  return list.split('\0').filter((path) => path !== '' && path !== 'test/house/texts.ts')
}

t.test('no file names the machine it was written on', (t) => {
  const home = homedir()
  for (const path of trackedFiles()) {
    const full = join(projectRoot, path)
    const stats = statSync(full, { throwIfNoEntry: false })
    if (!stats?.isFile() || stats.size > MAX_TEXT_BYTES) continue
    const text = readFileSync(full, 'utf8')
    const rules = /\.[jt]s$/.test(path) ? [...FORBIDDEN, ...SWITCHES] : FORBIDDEN
    const found = rules.filter(({ pattern }) => pattern.test(text)).map(({ what }) => what)
    if (home !== '/root' && text.includes(`${home}/`)) found.push('the home directory of this machine')
    t.strictSame(found, [], `${path} must not hold ${found.join(' or ')}`)
  }
  t.end()
})
