/** What scripts rely on is written down: every exit code in docs/cli.md, every error code somewhere in docs/. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { EXIT } from '../../src/cli/exit-codes.js'
import { ERROR_CODES } from '../../src/engine/error.js'
import { filesBelow, projectRoot } from '../helpers/source-files.js'

const commandPage = join(projectRoot, 'docs/cli.md')

t.test('docs/cli.md has every exit code', (t) => {
  const page = existsSync(commandPage) ? readFileSync(commandPage, 'utf8') : ''
  for (const code of new Set(Object.values(EXIT))) {
    t.match(page, new RegExp(`^\\|\\s*${code}\\s*\\|`, 'm'), `exit code ${code} has a row in docs/cli.md`)
  }
  t.end()
})

t.test('docs/ has every error code', (t) => {
  const pages = filesBelow('docs', '.md')
    .map(({ text }) => text)
    .join('\n')
  for (const code of ERROR_CODES) t.ok(pages.includes(`\`${code}\``), `\`${code}\` is explained in docs/`)
  t.end()
})
