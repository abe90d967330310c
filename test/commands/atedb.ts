/** The program `atedb`: how it starts, what it binds, whom it lets in, and how it ends. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { deflate } from '../../src/adapters/node/deflate.js'
import { cliWorld, runProgram, shell } from '../helpers/cli.js'
import { ATEDB, dial, startAtedb } from '../helpers/atedb-server.js'
import { ChaosProxy } from '../helpers/chaos/proxy.js'
import { NEEDS_ROOT } from '../helpers/namespace.js'
import { failure } from '../helpers/wire.js'

const isRoot = process.getuid?.() === 0
const NOBODY = 65534
const tls = (name: string): string => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url))

t.test(
  'atedb solo starts with nothing told: port 5000 of IPv4 and IPv6, logs in ~/ate',
  { skip: isRoot ? false : NEEDS_ROOT },
  async (t) => {
    const world = cliWorld(t)
    const ask = world.path('ask.mjs')
    writeFileSync(
      ask,
      "for (const host of ['127.0.0.1', '[::1]']) console.log(await (await fetch(`http://${host}:5000/healthz`)).text())",
    )
    const said = await shell(`
    chmod 755 ${world.directory}; mkdir ${world.path('home')}; chown ${NOBODY} ${world.path('home')}
    unshare --net --pid --fork --kill-child sh -euc '
      ip link set lo up
      setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups env -i HOME=${world.path('home')} \\
        ${process.execPath} ${ATEDB} solo > ${world.path('out')} 2> ${world.path('err')} &
      server=$!
      for i in $(seq 100); do grep -q Ctrl-C ${world.path('out')} && break; sleep 0.1; done
      ${process.execPath} ${ask}
      kill -TERM $server
      wait $server
      echo ended $?'`)
    t.match(said, /^ok\n\nok\n\nended 0\n$/)
    const out = readFileSync(world.path('out'), 'utf8')
    t.match(out, /Serving ws:\/\/localhost:5000\/db on \[::\]:5000/)
    t.match(out, /at least 128 bits/)
    t.match(out, /Server key: [0-9a-f]{64}/)
    t.match(out, /No chain can be made.*atedb --no-auth solo/, 'without accounts it says what to type')
    t.match(out, /Goodbye/)
    t.equal(readFileSync(world.path('err'), 'utf8'), '')
    t.ok(readFileSync(world.path('home', 'ate', '~server', 'identity')))
  },
)

/** Of the original's manual, word by word, and what they say. */
const AS_WRITTEN: Readonly<Record<string, RegExp>> = {
  'atedb --no-auth --no-wire-encryption solo -l 127.0.0.1 -p 5555':
    /on 127\.0\.0\.1:5555, logs in \S+\/ate\nTrust: centralized; wire encryption: if the client wants it\nServer key: \w+\nCtrl-C/,
  'atedb --wire-encryption 256 --trust distributed solo': /Trust: distributed; wire encryption: at least 256 bits/,
  'atedb --dns 8.8.4.4 --auth ws://localhost:5555/auth solo -l 0.0.0.0': /on 0\.0\.0\.0:5000,/,
  'RUST_LOG=info atedb solo': /"message":"listening"/,
}
for (const [line, said] of Object.entries(AS_WRITTEN)) {
  t.test(`${line} starts as it is written`, { skip: isRoot ? false : NEEDS_ROOT }, async (t) => {
    const world = cliWorld(t)
    mkdirSync(world.path('bin'))
    symlinkSync(ATEDB, world.path('bin', 'atedb'))
    const out = world.path('out')
    const script = `
      ip link set lo up
      ${line} > ${out} 2>&1 &
      server=$!
      for i in $(seq 200); do grep -q Ctrl-C ${out} && break; sleep 0.1; done
      kill -TERM $server
      wait $server`
    const path = [world.path('bin'), dirname(process.execPath), world.environment['PATH']].join(':')
    const own = ['--net', '--pid', '--fork', '--kill-child', 'sh', '-euc', script]
    t.match(await runProgram('unshare', own, { ...world.environment, PATH: path }), { code: 0, stderr: '' })
    t.match(readFileSync(out, 'utf8'), said)
  })
}

t.test('it binds what it is told, and nothing else', async (t) => {
  const world = cliWorld(t)
  const reaches = async (host: string, port: number): Promise<boolean> => {
    const answer = await fetch(`http://${host}:${port}/healthz`).catch(() => undefined)
    return answer?.status === 200
  }
  const bound: [string, boolean, boolean][] = [
    ['127.0.0.1', true, false],
    ['::1', false, true],
    ['0.0.0.0', true, false],
    ['::', true, true],
  ]
  for (const [address, ipv4, ipv6] of bound) {
    const server = await startAtedb(t, world, ['-l', address])
    t.same([await reaches('127.0.0.1', server.port), await reaches('[::1]', server.port)], [ipv4, ipv6], address)
    t.equal(await server.end('SIGINT'), 0)
  }
})

t.test('its key and its logs are its own: they survive kill -9, and no second server has them', async (t) => {
  const world = cliWorld(t)
  const first = await startAtedb(t, world)
  const second = startAtedb(t, world)
  await t.rejects(second, { message: /exit code 11: .*Another server has/s })
  const other = cliWorld(t)
  await t.rejects(startAtedb(t, other, ['-l', '127.0.0.1', '-p', String(first.port)]), {
    message: /exit code 1: .*EADDRINUSE/s,
  })
  t.equal(await first.end('SIGKILL'), undefined)
  const again = await startAtedb(t, world)
  t.equal(again.started.serverKey, first.started.serverKey)
  const shared = await startAtedb(t, other, ['-l', '127.0.0.1', '--server-key', world.path('logs/~server/identity')])
  t.equal(shared.started.serverKey, first.started.serverKey, 'servers of one name have one key')
  for (const server of [again, shared]) t.equal(await server.end('SIGTERM'), 0)
})

t.test('connections are encrypted as both sides want, and say which path they want', async (t) => {
  const world = cliWorld(t)
  const bits = async (flags: string[], wish: 0 | 256): Promise<number> => {
    const server = await startAtedb(t, world, ['-l', '127.0.0.1', ...flags])
    const trust = wish === 0 ? { trust: { server: 'localhost', known: undefined } } : {}
    const connection = await dial(server, {
      encryption: wish,
      ...(flags.includes('--no-wire-encryption') ? trust : {}),
    })
    const agreed = connection.agreement.bits
    await connection.close()
    await server.end('SIGTERM')
    return agreed
  }
  t.equal(await bits([], 0), 128)
  t.equal(await bits(['--no-wire-encryption'], 0), 0)
  t.equal(await bits(['-t', 'distributed'], 256), 256)
  const server = await startAtedb(t, world, ['-u', 'ws://localhost/store', '-p', '0', '-l', '127.0.0.1'])
  t.equal(await failure(dial(server)), 'NOT_FOUND')
  const connection = await dial(server, { compressions: [deflate] }, '/store')
  t.equal(await failure(connection.close().then(() => undefined)), 'resolved')
})

t.test('whoever is connected when it stops is told goodbye', async (t) => {
  const server = await startAtedb(t, cliWorld(t), ['-l', '127.0.0.1', '-vv'])
  const connections = await Promise.all(Array.from({ length: 12 }, () => dial(server)))
  t.equal(await server.end('SIGTERM'), 0)
  for (const connection of connections) t.match(await connection.closed, { code: 'CONNECTION_CLOSED', by: 'there' })
  const messages = server
    .messages()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { message: string })
  t.equal(messages.filter(({ message }) => message === 'connected').length, 12)
  t.equal(messages.filter(({ message }) => message === 'disconnected').length, 12)
})

t.test('one that takes long to stop says so', async (t) => {
  const server = await startAtedb(t, cliWorld(t))
  const way = await ChaosProxy.to(() => server.port)
  t.teardown(() => way.close())
  const connection = await dial(server, {}, '/db', `127.0.0.1:${way.port}`)
  // The goodbye comes to nobody, and is waited for.
  way.stall()
  t.equal(await server.end('SIGTERM'), 0)
  t.match(server.messages(), /stopping takes a while/)
  way.cut()
  t.match(await connection.closed, { by: /here|there/ })
})

t.test('it tells by HTTP whether it works, and its numbers', async (t) => {
  const server = await startAtedb(t, cliWorld(t))
  const get = (path: string, method = 'GET'): Promise<Response> =>
    fetch(`http://${server.started.listening}${path}`, { method })
  t.match(await get('/healthz'), { status: 200 })
  t.match(await get('/healthz', 'HEAD'), { status: 200 })
  t.match(await get('/healthz', 'POST'), { status: 405 })
  t.match(await get('/'), { status: 404 })
  t.match(await get('/~server/identity'), { status: 404 })
  const connection = await dial(server)
  const metrics = await (await get('/metrics')).text()
  t.match(metrics, /^atefs_connections 1$/m)
  t.match(metrics, /^atefs_connections_total 1$/m)
  t.match(metrics, /^process_resident_memory_bytes \d+$/m)
  for (const line of metrics.trimEnd().split('\n')) t.match(line, /^(# (HELP|TYPE) \w+ .+|\w+ [\d.e+-]+)$/)
  await connection.close()
})

t.test('with a certificate it serves wss', async (t) => {
  const flags = ['-l', '127.0.0.1', '--tls-cert', tls('certificate.pem'), '--tls-key', tls('key.pem')]
  const server = await startAtedb(t, cliWorld(t), flags)
  t.match(server.started.url, /^wss:\/\/localhost:\d+\/db$/)
  t.equal(await failure(dial(server)), 'CONNECTION_FAILED', 'no TLS')
  await t.rejects(startAtedb(t, cliWorld(t), [...flags.slice(0, 4), '--tls-key', tls('certificate.pem')]), {
    message: /exit code 2: .*certificate and its key/s,
  })
})

t.test('the program says what it is, and what is wrong with a command line', async (t) => {
  const { environment } = cliWorld(t)
  const atedb = (...words: string[]) => runProgram(process.execPath, [ATEDB, ...words], environment)
  t.match(await atedb('-V'), { code: 0, stdout: /^atedb \d+\.\d+\.\d+\n$/ })
  t.match(await atedb('help'), { code: 0, stdout: /atedb \[FLAGS\] solo/ })
  t.match(await atedb('help', 'solo'), { code: 0, stdout: /\$ atedb solo \[LOGS-PATH\]/ })
  t.match(await atedb('duo'), { code: 2, stderr: /^atedb: there is no command duo\n/ })
  t.match(await atedb('--bogus', 'solo'), { code: 2, stderr: /^atedb: nonexistent flag: --bogus\nUsage: atedb solo / })
  t.match(await atedb('solo', '-u', 'tcp://localhost:5000/db'), { code: 1, stderr: /^atedb: .*tcp:\/\// })
})
