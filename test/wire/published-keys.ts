/** Which key a server must have, by those who publish it. */
import t from 'tap'
import { MemoryKnownServers, serverKeyId, type ServerTrust } from '../../src/wire/index.js'
import { connected, crypto, failure, identityId, otherIdentity } from '../helpers/wire.js'

const SERVER = 'db.example.org:5000'
const OTHER = serverKeyId(crypto, otherIdentity)

/** What becomes of connecting to the server with the key `identityId`. */
async function meets(trust: Omit<ServerTrust, 'server'>): Promise<string> {
  return failure(
    connected({ trust: { server: SERVER, ...trust } }).then(async ({ client, server }) => {
      await Promise.all([client.close(), server.close()])
    }),
  )
}

const published = (isValidated: boolean, ...keys: (typeof identityId)[]): ServerTrust['published'] => ({
  isValidated,
  keys: async () => keys,
})

t.test('a key that was given counts before all', async (t) => {
  t.equal(await meets({ key: identityId, published: published(true, OTHER) }), 'resolved')
  t.equal(await meets({ key: OTHER, published: published(true, identityId) }), 'SERVER_KEY_CHANGED')
})

t.test('validated keys count before what is remembered, and are not remembered', async (t) => {
  const known = new MemoryKnownServers()
  t.equal(await meets({ known, published: published(true, OTHER, identityId) }), 'resolved')
  t.equal(await known.find(SERVER), undefined)
  await known.remember(SERVER, OTHER)
  t.equal(await meets({ known, published: published(true, identityId) }), 'resolved', 'a new key that is published')
  t.equal(await meets({ known, published: published(true, OTHER) }), 'SERVER_KEY_CHANGED')
  t.equal(await meets({ known, published: published(true) }), 'SERVER_KEY_CHANGED', 'none is published')
})

t.test('others have to agree with the first use, and say nothing of later ones', async (t) => {
  const known = new MemoryKnownServers()
  t.equal(await meets({ known, published: published(false, OTHER) }), 'SERVER_KEY_CHANGED')
  t.equal(await known.find(SERVER), undefined)
  t.equal(await meets({ known, published: published(false, identityId) }), 'resolved')
  t.equal(await known.find(SERVER), identityId)
  t.equal(await meets({ known, published: published(false, OTHER) }), 'resolved', 'it is known by now')
  t.equal(await meets({ published: published(false) }), 'SERVER_KEY_UNKNOWN')
  t.equal(await meets({ published: published(false, identityId) }), 'resolved')
})

t.test('a validation that fails lets nobody in', async (t) => {
  const keys = (): Promise<never> => Promise.reject(new Error('not validated'))
  const known = new MemoryKnownServers()
  await known.remember(SERVER, identityId)
  t.equal(await meets({ known, published: { isValidated: true, keys } }), 'Error: not validated')
})
