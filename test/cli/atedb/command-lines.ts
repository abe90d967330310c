/** Every command line of the original's manual means what it meant. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Parser } from '@oclif/core'
import t from 'tap'
import { type AtedbArguments, readAtedbArguments } from '../../../src/cli/atedb/arguments.js'
import { serverSettings, type Surroundings } from '../../../src/cli/atedb/server-settings.js'
import { soloFlags } from '../../../src/cli/atedb/solo-flags.js'
import Solo from '../../../src/commands/atedb/solo.js'
import type { ServerSettings } from '../../../src/atedb/settings.js'
import { projectRoot } from '../../helpers/source-files.js'

const USER: Surroundings = { environment: {}, home: '/h', isRoot: false, isTerminal: true }
const ROOT: Surroundings = { ...USER, isRoot: true }

/** What `atedb LINE` does. A shell has expanded ~ in it, unless it is quoted. */
async function settingsOf(line: string, around: Surroundings = USER): Promise<ServerSettings> {
  const read = readAtedbArguments(line.split(' ').slice(1), soloFlags)
  if (read.kind !== 'solo') throw new Error(`${line}: ${read.kind}`)
  const { flags, args, raw } = await Parser.parse([...read.words], { flags: Solo.flags, args: Solo.args, strict: true })
  const verbose = raw.filter((token) => token.type === 'flag' && token.flag === 'verbose').length
  return serverSettings(args['logs-path'], { ...flags, verbose }, around)
}

const DEFAULTS = {
  logsPath: '/h/ate',
  url: { scheme: 'ws', host: 'localhost', port: 5000, path: '/db' },
  host: '::',
  tls: undefined,
  trust: 'centralized',
  encryption: 128,
  auth: 'ws://localhost:5001/auth',
  identityFile: '/h/ate/~server/identity',
  backupPath: undefined,
  compaction: { mode: 'growth-or-timer', timerMs: 3_600_000, factor: 0.4, sizeBytes: 104_857_600 },
  nodes: { list: undefined, id: undefined, dnsServer: undefined, dnsSec: false },
  log: { level: 'warn', format: 'text' },
}
const at = (port: number): object => ({ ...DEFAULTS.url, port })

const LINES: [line: string, difference: object][] = [
  ['atedb solo', {}],
  ['atedb --trust distributed solo', { trust: 'distributed', encryption: 0, auth: undefined }],
  ['atedb --wire-encryption 256 --trust distributed solo', { trust: 'distributed', encryption: 256, auth: undefined }],
  ['atedb solo ~/another-path/', { logsPath: '/h/another-path', identityFile: '/h/another-path/~server/identity' }],
  [
    'atedb --no-auth --no-wire-encryption solo -l 127.0.0.1 -p 5555',
    { auth: undefined, encryption: 0, host: '127.0.0.1', url: at(5555) },
  ],
  [
    'atedb --dns 8.8.4.4 --auth ws://localhost:5555/auth solo -l 0.0.0.0',
    { auth: 'ws://localhost:5555/auth', host: '0.0.0.0', nodes: { ...DEFAULTS.nodes, dnsServer: '8.8.4.4' } },
  ],
  // The manual's flags, each in both places.
  ['atedb -d solo', { log: { level: 'debug', format: 'text' } }],
  ['atedb --debug solo', { log: { level: 'debug', format: 'text' } }],
  ['atedb solo --dns-sec', { nodes: { ...DEFAULTS.nodes, dnsSec: true } }],
  ['atedb --dns-sec solo', { nodes: { ...DEFAULTS.nodes, dnsSec: true } }],
  ['atedb --no-auth solo', { auth: undefined }],
  ['atedb solo --no-auth', { auth: undefined }],
  ['atedb -v solo', { log: { level: 'info', format: 'text' } }],
  ['atedb -v -v solo', { log: { level: 'debug', format: 'text' } }],
  ['atedb -v solo -vv', { log: { level: 'trace', format: 'text' } }],
  ['atedb -vvvv solo', { log: { level: 'trace', format: 'text' } }],
  ['atedb -a wss://example.org/auth solo', { auth: 'wss://example.org/auth' }],
  ['atedb --dns-server 1.1.1.1 solo', { nodes: { ...DEFAULTS.nodes, dnsServer: '1.1.1.1' } }],
  ['atedb -t distributed solo', { trust: 'distributed', encryption: 0, auth: undefined }],
  ['atedb -t centralized solo', {}],
  ['atedb --wire-encryption 128 solo', {}],
  ['atedb --wire-encryption=192 solo', { encryption: 192 }],
  ['atedb solo --compact-mode never', { compaction: { ...DEFAULTS.compaction, mode: 'never' } }],
  ['atedb solo --compact-mode factor-or-timer', { compaction: { ...DEFAULTS.compaction, mode: 'factor-or-timer' } }],
  ['atedb solo --compact-timer 60', { compaction: { ...DEFAULTS.compaction, timerMs: 60_000 } }],
  ['atedb solo --compact-threshold-factor 0.5', { compaction: { ...DEFAULTS.compaction, factor: 0.5 } }],
  ['atedb solo --compact-threshold-size 1000', { compaction: { ...DEFAULTS.compaction, sizeBytes: 1000 } }],
  ['atedb solo -l ::1 --port 6000', { host: '::1', url: at(6000) }],
  ['atedb solo --listen [::1]', { host: '::1' }],
  ['atedb -p5001 solo', { url: at(5001) }],
  ['atedb -vp 5001 solo', { url: at(5001), log: { level: 'info', format: 'text' } }],
  [
    'atedb solo -u ws://db.example.org:7000/store',
    { url: { scheme: 'ws', host: 'db.example.org', port: 7000, path: '/store' } },
  ],
  [
    'atedb solo -u ws://db.example.org/store -p 7001',
    { url: { scheme: 'ws', host: 'db.example.org', port: 7001, path: '/store' } },
  ],
  [
    'atedb solo --tls-cert /c --tls-key /k',
    { url: { ...DEFAULTS.url, scheme: 'wss' }, tls: { certificate: '/c', key: '/k' } },
  ],
  ['atedb solo -b /copies', { backupPath: '/copies' }],
  ['atedb solo --nodes-list /nodes -n 2', { nodes: { ...DEFAULTS.nodes, list: '/nodes', id: 2 } }],
  ['atedb --server-key /id solo', { identityFile: '/id' }],
  ['atedb solo --log-format json', { log: { level: 'warn', format: 'json' } }],
  ['atedb solo -- solo', { logsPath: `${process.cwd()}/solo`, identityFile: `${process.cwd()}/solo/~server/identity` }],
]

for (const [line, difference] of LINES) {
  t.test(line, async (t) => {
    t.same(await settingsOf(line), { ...DEFAULTS, ...difference })
  })
}

t.test('root keeps the logs in /opt/ate', async (t) => {
  t.equal((await settingsOf('atedb solo', ROOT)).logsPath, '/opt/ate')
})

t.test('RUST_LOG and ATEFS_LOG say how much is told, ours first, flags before both', async (t) => {
  const level = async (line: string, environment: Record<string, string>): Promise<string> =>
    (await settingsOf(line, { ...USER, environment })).log.level
  t.equal(await level('atedb solo', { RUST_LOG: 'info' }), 'info')
  t.equal(await level('atedb solo', { RUST_LOG: 'warn,atedb=debug,hyper=trace' }), 'debug')
  t.equal(await level('atedb solo', { RUST_LOG: 'hyper=trace' }), 'warn')
  t.equal(await level('atedb solo', { RUST_LOG: 'nonsense' }), 'warn')
  t.equal(await level('atedb solo', { RUST_LOG: 'trace', ATEFS_LOG: 'error' }), 'error')
  t.equal(await level('atedb solo', { ATEFS_LOG: 'off' }), 'off')
  t.equal(await level('atedb -v solo', { ATEFS_LOG: 'trace' }), 'info')
  t.equal(await level('atedb -d solo', { ATEFS_LOG: 'error' }), 'debug')
})

t.test('without a terminal messages are JSON', async (t) => {
  t.equal((await settingsOf('atedb solo', { ...USER, isTerminal: false })).log.format, 'json')
})

const OTHERS: [line: string, read: AtedbArguments][] = [
  ['', { kind: 'help', ofSolo: false }],
  ['-h', { kind: 'help', ofSolo: false }],
  ['--help', { kind: 'help', ofSolo: false }],
  ['help', { kind: 'help', ofSolo: false }],
  ['help help', { kind: 'help', ofSolo: false }],
  ['help solo', { kind: 'help', ofSolo: true }],
  ['solo -h', { kind: 'help', ofSolo: true }],
  ['--no-auth solo --help', { kind: 'help', ofSolo: true }],
  ['-V', { kind: 'version' }],
  ['--version', { kind: 'version' }],
  ['solo -V', { kind: 'version' }],
  ['help duo', { kind: 'wrong', word: 'duo' }],
  ['duo', { kind: 'wrong', word: 'duo' }],
  ['--no-auth', { kind: 'wrong', word: undefined }],
  ['--auth solo', { kind: 'wrong', word: undefined }],
  ['-b -h solo', { kind: 'solo', words: ['-b', '-h'] }],
]
for (const [line, read] of OTHERS) {
  t.test(`atedb ${line} is understood`, async (t) => {
    t.same(readAtedbArguments(line === '' ? [] : line.split(' '), soloFlags), read)
  })
}

const REFUSED: [line: string, why: RegExp | string][] = [
  ['atedb solo -l server', 'BAD_ARGUMENT'],
  ['atedb solo -l 256.0.0.1', 'BAD_ARGUMENT'],
  ['atedb solo --dns-server dns.example.org', 'BAD_ARGUMENT'],
  ['atedb solo -u tcp://localhost:5000/db', 'NOT_SUPPORTED'],
  ['atedb solo -u ws://localhost:5000/db/chain', 'BAD_ARGUMENT'],
  ['atedb solo -u wss://localhost:5000/db', 'BAD_ARGUMENT'],
  ['atedb solo -u ws://localhost/db --tls-cert c --tls-key k', 'BAD_ARGUMENT'],
  ['atedb solo -a nowhere', 'BAD_ARGUMENT'],
  ['atedb solo --compact-threshold-factor 0', 'BAD_ARGUMENT'],
  ['atedb solo -p 65536', /65535/],
  ['atedb solo --tls-cert c', /tls-key/],
  ['atedb solo --no-wire-encryption --wire-encryption 128', /wire-encryption/],
  ['atedb solo --no-auth -a ws://localhost/auth', /auth/],
  ['atedb solo -t nobody', /centralized, distributed/],
  ['atedb solo --compact-mode sometimes', /growth-or-timer/],
  ['atedb solo one two', /Unexpected argument: two/],
]
for (const [line, why] of REFUSED) {
  t.test(`${line} is refused`, async (t) => {
    await t.rejects(settingsOf(line), typeof why === 'string' ? { code: why } : { message: why })
  })
}

t.test('the command line of the systemd unit is one of ours', async (t) => {
  const unit = readFileSync(join(projectRoot, 'packaging/atedb.service'), 'utf8')
  const [, line = ''] = /^ExecStart=\/usr\/bin\/env (.*)$/m.exec(unit) ?? []
  t.same((await settingsOf(line.replace(' $ATEDB_FLAGS', ''))).logsPath, '/var/lib/atedb')
  const [, flags = ''] = /ATEDB_FLAGS="(.*)"/.exec(unit) ?? []
  t.match(await settingsOf(line.replace('$ATEDB_FLAGS', flags)), { auth: undefined, host: '192.0.2.1' })
  t.match(unit, /^StateDirectory=atedb$/m, 'what makes the directory of the logs')
})
