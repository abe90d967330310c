import { readFileSync } from 'node:fs'
import t from 'tap'
import { EXIT, exitCodeOf } from '../../src/cli/exit-codes.js'
import { ERROR_CODES } from '../../src/engine/error.js'

const documented = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')

t.test('every error has an exit code that is not success and is in the manual', async (t) => {
  for (const code of ERROR_CODES) {
    const exitCode = exitCodeOf(code)
    t.not(exitCode, EXIT.OK, code)
    t.match(documented, new RegExp(`^\\| ${exitCode} +\\|`, 'm'), `${code}: ${exitCode}`)
  }
})

t.test('the numbers that scripts know are what they were', async (t) => {
  t.same(EXIT, {
    OK: 0,
    UNEXPECTED: 1,
    USAGE: 2,
    CHAIN: 6,
    UNSUPPORTED_FORMAT: 8,
    NO_PASSPHRASE: 9,
    MOUNTPOINT: 10,
    LOCKED: 11,
    WRONG_PASSPHRASE: 12,
    DAEMON: 17,
    FUSE: 19,
    EMPTY_PASSPHRASE: 22,
    STORAGE: 24,
    DAMAGE: 26,
    KEY_SLOT: 27,
    NO_SPACE: 28,
    INTERRUPTED: 130,
  })
})

t.test('the manual lists no number that does not exist', async (t) => {
  const table = documented.slice(documented.indexOf('## Exit codes'))
  const listed = [...table.matchAll(/^\| (\d+) +\|/gm)].map((match) => Number(match[1]))
  t.same(
    listed,
    Object.values(EXIT).sort((a, b) => a - b),
  )
})
