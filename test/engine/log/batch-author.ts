/** A log whose batches are signed is verified as one whose batches have a MAC. */
import t from 'tap'
import { signingKeyFromSeed } from '../../../src/engine/crypto/signature.js'
import { macAuthor, signingAuthor } from '../../../src/engine/log/batch-author.js'
import { AUTH_MAC, AUTH_SIGNATURE } from '../../../src/engine/log/format/batch-header.js'
import { verifyLog } from '../../../src/engine/log/index.js'
import type { Finding } from '../../../src/engine/log/types.js'
import { FaultStorage } from '../../helpers/fault-storage.js'
import { create, crypto, draft, keys, numbersOf, open } from '../../helpers/log-workbench.js'

const author = signingAuthor(crypto, signingKeyFromSeed(new Uint8Array(64).fill(3)))

await t.test('a signed log is reopened, and only its author can have written it', async (t) => {
  const storage = new FaultStorage()
  await create(storage)
  const { log } = await open({ storage, author })
  await log.append([draft(1, 100), draft(2)])
  await log.close()
  const { batches } = await open({ storage, author, readOnly: true })
  t.same(numbersOf(batches), [1, 2])
  const findings: Finding[] = []
  for await (const finding of verifyLog({ storage, crypto, keys, author })) findings.push(finding)
  t.same(findings, [])
  await t.rejects(open({ storage, readOnly: true }), { code: 'CHAIN_DAMAGED' }, 'the key of the MAC is not enough')
  const other = signingAuthor(crypto, signingKeyFromSeed(new Uint8Array(64).fill(4)))
  await t.rejects(open({ storage, readOnly: true, author: other }), { code: 'CHAIN_DAMAGED' })
})

await t.test('a changed signature does not verify', async (t) => {
  const storage = new FaultStorage()
  await create(storage)
  const { log } = await open({ storage, author })
  const [first] = await log.append([draft(1)])
  await log.append([draft(2)])
  await log.close()
  const file = storage.snapshot().get('0000000001.seg')
  if (file === undefined || first === undefined) return t.fail()
  const signatureAt = first.endPosition - 200 - 3000
  file.bytes[signatureAt] = (file.bytes[signatureAt] ?? 0) ^ 1
  await storage.replaceSmall('0000000001.seg', file.bytes.slice(0, file.length))
  await t.rejects(open({ storage, author, readOnly: true }), { code: 'CHAIN_DAMAGED' })
})

await t.test('each kind refuses what is not its own', async (t) => {
  const mac = macAuthor(crypto, keys.author)
  const bytes = Uint8Array.of(1, 2, 3)
  t.equal(mac.authKind, AUTH_MAC)
  t.equal(author.authKind, AUTH_SIGNATURE)
  for (const one of [mac, author]) {
    const auth = one.authenticate(bytes)
    t.equal(auth.length, one.authBytes)
    t.ok(one.verify(bytes, auth))
    t.notOk(one.verify(Uint8Array.of(1, 2, 4), auth))
    t.notOk(one.verify(bytes, auth.subarray(1)))
    t.notOk(one.verify(bytes, new Uint8Array(0)))
    auth[0] = (auth[0] ?? 0) ^ 1
    t.notOk(one.verify(bytes, auth))
  }
})
