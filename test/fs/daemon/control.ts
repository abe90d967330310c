/** Both ends of the control socket, and what strangers may send to it. */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { AteError } from '../../../src/engine/error.js'
import { requestStatus, requestUnmount } from '../../../src/fs/daemon/control-client.js'
import { ControlServer, type ControlHandlers } from '../../../src/fs/daemon/control-server.js'
import type { MountStatus } from '../../../src/fs/daemon/mount-status.js'

const STATUS: MountStatus = {
  pid: 1,
  state: 'mounted',
  mountpoint: '/m',
  driver: 'direct',
  chain: 'c',
  directory: '/d/c',
  readOnly: false,
  temporary: false,
  mountedAtMs: 5,
  chainId: 'ab',
  suite: 'aes-256-gcm',
  keyBits: 256,
  logBytes: 1,
  indexBytes: 2,
  headSequence: 3,
  headDigest: 'cd',
  durableSequence: 3,
  durableAtMs: undefined,
  dirtyBytes: 0,
  inFlightBytes: 0,
  failure: undefined,
}

function directory(t: Test): string {
  const made = mkdtempSync(join(tmpdir(), 'atefs-control-'))
  t.teardown(() => rmSync(made, { recursive: true }))
  return made
}

async function serve(t: Test, path: string, handlers: Partial<ControlHandlers>): Promise<ControlServer> {
  const server = await ControlServer.start(path, {
    status: () => STATUS,
    unmount: () => Promise.resolve({ durableSequence: 3 }),
    ...handlers,
  })
  t.teardown(() => server.close())
  return server
}

/** Sends bytes and gives what comes back until the other side closes. */
function talk(path: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(path, () => socket.write(bytes))
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text))
    socket.on('error', reject)
    socket.on('close', () => {
      resolve(answer)
    })
  })
}

t.test('status and unmount arrive as they were sent', async (t) => {
  const path = join(directory(t), 's')
  await serve(t, path, {})
  t.same(await requestStatus(path), STATUS)
  t.same(await requestUnmount(path), { durableSequence: 3 })
  t.equal(statSync(path).mode & 0o777, 0o600)
})

t.test('a failure of the daemon is the failure of the request', async (t) => {
  const path = join(directory(t), 's')
  const busy = new AteError('MOUNTPOINT_BUSY', 'in use', { hint: 'close it' })
  await serve(t, path, { unmount: () => Promise.reject(busy) })
  await t.rejects(requestUnmount(path), { code: 'MOUNTPOINT_BUSY', message: 'in use', hint: 'close it' })
})

t.test('paths longer than a socket may have work', async (t) => {
  const deep = join(directory(t), 'x'.repeat(120))
  mkdirSync(deep)
  const server = await serve(t, join(deep, 's'), {})
  t.same(await requestStatus(join(deep, 's')), STATUS)
  await server.close()
  t.equal(await requestStatus(join(deep, 's')), undefined)
})

t.test('where nobody listens there is no status', async (t) => {
  const path = join(directory(t), 's')
  t.equal(await requestStatus(path), undefined)
  writeFileSync(path, '')
  t.equal(await requestStatus(path), undefined, 'a file')
  t.equal(await requestStatus(join(path, 'below')), undefined, 'below a file')
})

t.test('closing answers what was asked before, and nothing after', async (t) => {
  const path = join(directory(t), 's')
  const asked = new AbortController()
  let finish: (end: object) => void = () => undefined
  const server = await serve(t, path, {
    unmount: () => {
      asked.abort()
      return new Promise((resolve) => (finish = resolve))
    },
  })
  const silent = connect(path)
  await once(silent, 'connect')
  const answered = requestUnmount(path)
  if (!asked.signal.aborted) await once(asked.signal, 'abort')
  const closed = server.close()
  finish({ durableSequence: 9 })
  t.same(await answered, { durableSequence: 9 })
  if (!silent.closed) await once(silent.resume(), 'close')
  await closed
  t.equal(await requestStatus(path), undefined)
})

t.test('any line gets one answer of JSON', async (t) => {
  const path = join(directory(t), 's')
  await serve(t, path, {})
  const line = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom('{"op":"status"}', '{"op":"x"}', '[]', 'null', 'x'.repeat(9000)),
  )
  await fc.assert(
    fc.asyncProperty(line, async (text) => {
      const reply: unknown = JSON.parse(await talk(path, `${text.replaceAll('\n', ' ')}\n`))
      return typeof reply === 'object' && reply !== null && 'ok' in reply
    }),
    { seed: 2, numRuns: 60 },
  )
})

t.test('what a stranger in the place of a daemon answers is not believed', async (t) => {
  const path = join(directory(t), 's')
  const answers = [
    '',
    'null',
    '{}',
    '{"ok":true}',
    '{"ok":true,"result":{"pid":"1"}}',
    '{"ok":false}',
    'x'.repeat(70_000),
  ]
  let next = 0
  const server = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .resume()
      .end(answers[next] ?? '')
  })
  await once(server.listen(path), 'listening')
  t.teardown(() => server.close())
  for (; next < answers.length; next++) {
    if (next === 0) t.equal(await requestStatus(path), undefined, 'it ended without a word')
    else await t.rejects(requestStatus(path), { code: 'DAEMON_FAILED' })
  }
})
