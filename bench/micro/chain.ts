/** Cost of the writing side per created file, without a file system, a disk or the kernel. Run from a build. */
import { nativeCrypto } from '../../src/adapters/node/native-crypto.js'
import { openMemoryChain } from '../../src/engine/chain/memory-chain.js'

const FILES = 20_000
const PER_COMMIT = 5000
const CONTENT_BYTES = 4096

const chain = await openMemoryChain({ crypto: nativeCrypto })
const { view } = chain
const content = new Uint8Array(CONTENT_BYTES).fill(1)
const perFileUs = (startMs: number): string => (((performance.now() - startMs) * 1000) / FILES).toFixed(2)

let putMs = 0
const startMs = performance.now()
for (let file = 1; file <= FILES; file++) {
  const beforeMs = performance.now()
  const staged = view.stage(CONTENT_BYTES)
  staged.set(content)
  view.addBody(staged)
  view.put(20, file >> 8, file, new Uint8Array(90))
  view.put(21, 1, (file * 2_654_435_761) % 2 ** 32, new Uint8Array(24))
  putMs += performance.now() - beforeMs
  if (file % PER_COMMIT === 0) await view.commit()
}
console.log(`records and content: ${((putMs * 1000) / FILES).toFixed(2)} us a file`)
console.log(`with commits: ${perFileUs(startMs)} us a file`)
await chain.close()
console.log(`with the index: ${perFileUs(startMs)} us a file`)
