/** The engine and the wire run in browsers: bundled for one, nothing of Node may be reachable from it. */
import { build } from 'esbuild'
import t from 'tap'

const FACES = [
  'engine/chain/memory-chain',
  'engine/keyring/keyring',
  'engine/crypto/signature',
  'engine/crypto/box',
  'engine/crypto/noble-provider',
  'engine/log/index',
  'wire/index',
  'adapters/browser/web-socket',
]

await t.test('the engine and the wire are bundled for a browser without anything of Node', async (t) => {
  const { errors, warnings } = await build({
    entryPoints: FACES.map((face) => `src/${face}.ts`),
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    outdir: 'unwritten',
    write: false,
    logLevel: 'silent',
  })
  t.strictSame([...errors, ...warnings], [])
})
