/** `atefs db list` and `details` of a server, which is found in DNS. */
import t from 'tap'
import { listenWebSocket } from '../../src/adapters/node/web-socket/listen.js'
import { AEAD_AES_192_GCM } from '../../src/engine/crypto/suites.js'
import { failure, Peer } from '../../src/sync/index.js'
import { accept } from '../../src/wire/index.js'
import { cliWorld } from '../helpers/cli.js'
import { a, dnsServer, txt } from '../helpers/dns-server.js'
import { crypto, identity, identityId, otherIdentity } from '../helpers/wire.js'
import { serverKeyId } from '../../src/wire/index.js'

const HOST = 'db.example.org'

t.test('list and details of a server tell what it says, when it has the key that is published', async (t) => {
  const world = cliWorld(t)
  const opened = {
    channel: 1,
    id: new Uint8Array(16).fill(7),
    suite: AEAD_AES_192_GCM,
    trust: 'distributed' as const,
    keyring: new Uint8Array([1]),
    sequence: 12,
    digest: new Uint8Array(32).fill(9),
    compaction: null,
    signer: { suite: identity.suite, publicKey: identity.publicKey },
  }
  const listener = await listenWebSocket({
    host: '127.0.0.1',
    port: 0,
    onTransport: (transport) =>
      void accept(transport, { crypto, identity }).then(
        (connection) =>
          new Peer(connection).listen(0, {
            requests: {
              list: ({ after }) =>
                after === ''
                  ? { chains: [{ chain: 'a/notes', sequence: 3, bytes: 1000 }], more: true }
                  : { chains: [{ chain: 'b', sequence: 4, bytes: 2048 }], more: false },
              open: ({ chain }) => {
                if (chain === 'b') return opened
                throw failure('CHAIN_NOT_FOUND', 'There is no such chain.', {})
              },
            },
          }),
        () => undefined,
      ),
  })
  t.teardown(() => listener.close())
  const name = `_atefs.${HOST}`
  const dns = await dnsServer(t, {
    records: { [HOST]: [a(HOST, '127.0.0.1')], [name]: [txt(name, `atefs1 key=${identityId}`)] },
  })
  const url = `ws://${HOST}:${listener.port}/db`
  const run = (...args: string[]) => world.run(['db', ...args, '--dns-server', dns.address])
  const listed = await run('list', url, '--json')
  t.equal(listed.code, 0, listed.stdout)
  t.match(listed.json()['chains'], [
    { chain: 'a/notes', sequence: 3, bytes: 1000 },
    { chain: 'b', sequence: 4, bytes: 2048 },
  ])
  const details = await run('details', `${url}/b`, '--json')
  t.match(details.json(), {
    chain: 'b',
    chainId: '07'.repeat(16),
    suite: 'aes-192-gcm',
    trust: 'distributed',
    opensWith: 'passphrase',
    headSequence: 12,
  })
  t.match(await run('details', `${url}/c`), { code: 6 })
  const other = await run('list', url, '--json', '--server-key', serverKeyId(crypto, otherIdentity))
  t.match(other.json(), { error: { code: 'SERVER_KEY_CHANGED' } })
  t.match((await run('list', url, '--json', '--dns-sec')).json(), { error: { message: /not validated/ } })
  dns.zone.isValidated = true
  t.match((await run('list', url, '--dns-sec')).stdout, /^b {2}2\.0 KiB {2}4 batches$/m)
})
