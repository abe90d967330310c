/** What a passphrase costs who guesses it, in a program that no test has prepared. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { DEFAULT_ARGON2_COST } from '../../../src/engine/crypto/argon2.js'
import { projectRoot } from '../../helpers/source-files.js'

t.test('the second recommended option of RFC 9106', (t) => {
  const module = join(projectRoot, 'dist/engine/crypto/argon2.js')
  const line = `import(${JSON.stringify(module)}).then((m) => console.log(JSON.stringify(m.DEFAULT_ARGON2_COST)))`
  const told = execFileSync(process.execPath, ['-e', line], { env: {}, encoding: 'utf8' })
  t.same(JSON.parse(told), { memoryKiB: 65536, passes: 3, lanes: 4 })
  t.equal(DEFAULT_ARGON2_COST.memoryKiB, 64, 'and next to nothing in tests')
  t.end()
})
