/** A chain of distributed trust that the first version wrote opens as it always did. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { verifyLog } from '../../../src/engine/log/index.js'
import { type Files, fixtureKeys } from '../../fixtures/chains/v1/build.js'
import { type LedgerFixture, readLedger } from '../../fixtures/chains/v1/ledger.js'
import { crypto, Distributed } from '../../helpers/distributed.js'

const folder = join(import.meta.dirname, '../../fixtures/chains/v1')
const fixture = JSON.parse(readFileSync(join(folder, 'ledger.json'), 'utf8')) as LedgerFixture
const { rootKey, chainId, suite, ...expected } = fixture
const identity = { rootKey, chainId, suite }

function filesOfLedger(): Files {
  const names = readdirSync(join(folder, 'ledger'))
  return new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(folder, 'ledger', name)))]))
}

await t.test('its objects, who signed its batches, and which of them is refused are what they were', async (t) => {
  t.strictSame(await readLedger(identity, filesOfLedger()), expected)
  t.equal(expected.refused.length, 1)
})

await t.test('no batch of it is damaged', async (t) => {
  const ledger = new Distributed(fixtureKeys(identity))
  for (const [name, bytes] of filesOfLedger()) await ledger.storage.replaceSmall(name, bytes)
  for await (const finding of verifyLog({ storage: ledger.storage, crypto, keys: ledger.keys })) t.fail(finding.message)
})
