import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import t from 'tap'
import { daemonLogPath, openDaemonLog } from '../../src/cli/daemon-log.js'
import { BUILT } from '../helpers/cli.js'

t.test('each chain has a file of its own, whatever it is called', async (t) => {
  const path = daemonLogPath('/logs', 'vault', '/a/vault')
  t.match(path, /^\/logs\/vault-[0-9a-f]{8}\.log$/)
  t.not(path, daemonLogPath('/logs', 'vault', '/b/vault'))
  t.ok(Buffer.byteLength(basename(daemonLogPath('/logs', 'ä'.repeat(127), '/x'))) <= 255)
})

t.test('at 1 MiB the file starts anew, with one older copy', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'atefs-log-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'log')
  writeFileSync(path, 'x'.repeat(1024 * 1024 + 1))
  const log = openDaemonLog(path)
  const script = `import { logLine } from '${BUILT}/cli/daemon-log.js'
    logLine('${path}', 'first\\nstill the first'); logLine('${path}', 'second')`
  spawnSync(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', log, log] })
  closeSync(log)
  t.match(readFileSync(path, 'utf8'), /^\S+Z first still the first\n\S+Z second\n$/)
  t.equal(statSync(`${path}.1`).size, 1024 * 1024 + 1)
})
