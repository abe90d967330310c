/** The engine runs in browsers: bundled for one, nothing of Node may be reachable from it. */
import { build } from 'esbuild'
import t from 'tap'

const FACES = [
  'chain/memory-chain',
  'keyring/keyring',
  'crypto/signature',
  'crypto/box',
  'crypto/noble-provider',
  'log/index',
]

await t.test('the engine is bundled for a browser without anything of Node', async (t) => {
  const { errors, warnings } = await build({
    entryPoints: FACES.map((face) => `src/engine/${face}.ts`),
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
