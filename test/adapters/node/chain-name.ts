import t from 'tap'
import { chainNameOf } from '../../../src/adapters/node/chain-name.js'
import { checkChainName } from '../../../src/engine/chain/chain-name.js'

t.test('the name is the last part of the mountpoint', async (t) => {
  t.equal(chainNameOf('/mnt/vault'), 'vault')
  t.equal(chainNameOf('/mnt/vault/'), 'vault')
  t.throws(() => chainNameOf('/'), { code: 'BAD_ARGUMENT' })
})

t.test('names are file names', async (t) => {
  for (const name of ['a', '.hidden', 'ä b', 'x'.repeat(255)]) t.equal(checkChainName(name), name)
  for (const name of ['', '.', '..', 'a/b', '/', 'x'.repeat(256), 'ä'.repeat(128), 'a\0', 'a\nb']) {
    t.throws(() => checkChainName(name), { code: 'BAD_ARGUMENT' }, JSON.stringify(name.slice(0, 20)))
  }
})
