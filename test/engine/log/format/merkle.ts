/** The hashes of the reference data of Certificate Transparency (RFC 6962), and the tree's defining recursion. */
import t from 'tap'
import { fromHex, toHex } from '../../../../src/engine/bytes/hex.js'
import { merkleLeaf, merkleRoot } from '../../../../src/engine/log/format/merkle.js'
import { crypto } from '../../../helpers/log-workbench.js'

const DATA = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]
const leaves = DATA.map((data) => merkleLeaf(crypto, fromHex(data)))

/** MTH of RFC 6962, section 2.1, as it is written there. */
function recursiveRoot(of: readonly Uint8Array[]): Uint8Array {
  const only = of[0]
  if (only === undefined) return crypto.sha256()
  if (of.length === 1) return only
  const split = 2 ** Math.floor(Math.log2(of.length - 1))
  return crypto.sha256(Uint8Array.of(1), recursiveRoot(of.slice(0, split)), recursiveRoot(of.slice(split)))
}

await t.test('roots are those of the reference data', async (t) => {
  ROOTS.forEach((root, count) => t.equal(toHex(merkleRoot(crypto, leaves.slice(0, count))), root, `${count} leaves`))
})

await t.test('pairing level by level is the recursive split, for every number of leaves', async (t) => {
  const many = Array.from({ length: 70 }, (_, i) => merkleLeaf(crypto, Uint8Array.of(i)))
  for (let count = 0; count <= many.length; count++) {
    const some = many.slice(0, count)
    t.same(merkleRoot(crypto, some), recursiveRoot(some), `${count} leaves`)
  }
})

await t.test('a leaf is never a node', async (t) => {
  const [a, b] = leaves
  if (a === undefined || b === undefined) return t.fail()
  t.notSame(merkleLeaf(crypto, Buffer.concat([a, b])), merkleRoot(crypto, [a, b]))
})
